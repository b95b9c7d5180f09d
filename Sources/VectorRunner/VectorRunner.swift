import Bytes
import Linux

/// `bootgate-vectors`: what this release makes of a folder of evidence.
///
/// Reads `index.json` in the folder: an array of entries with `id`, `kind`, `files` and `expect.cases`.
/// Of a case only `name`, `verify_time`, `inputs` and `policy` are read, so no expectation can leak
/// into a verdict. Prints one line of JSON for each case.
enum VectorRunner {
    enum ExitStatus: Int32 {
        case success = 0
        case unusableInput = 2
        case usage = 64
    }

    private static let help = """
        usage: bootgate-vectors DIR

        Appraises every case of DIR/index.json and prints one line of JSON for each:
          {"id":"...","case":"...","verdict":"accept|reject|error","reason":"..."}
        A rejected case has a reason word, and `detail` with the finding behind it.

        Exit codes: 0 every case was run, whatever the verdicts; 2 no such index; 64 wrong usage.
        """

    static func run(_ arguments: [String]) -> ExitStatus {
        if arguments == ["--help"] || arguments == ["-h"] {
            Console.print(help)
            return .success
        }
        guard arguments.count == 1, let path = arguments.first, !path.hasPrefix("-") else {
            Console.printError(help)
            return .usage
        }
        let folder: VectorFolder
        do throws(VectorFault) {
            folder = try VectorFolder(path)
        } catch {
            Console.printError("bootgate-vectors: \(error)")
            return .unusableInput
        }
        let bench = CaseBench(folder: folder)
        for entry in folder.entries {
            for one in entry.cases {
                Console.print(line(entry, one, bench.verdict(entry, one)))
            }
        }
        return .success
    }

    private static func line(_ entry: VectorEntry, _ one: VectorCase, _ verdict: Verdict) -> String
    {
        var members: [(String, String)] = [("id", entry.id), ("case", one.name)]
        switch verdict {
        case .accept: members.append(("verdict", "accept"))
        case .reject(let reason, let detail):
            members += [("verdict", "reject"), ("reason", reason), ("detail", detail)]
        case .error(let detail): members += [("verdict", "error"), ("reason", detail)]
        }
        let texts = members.map { "\(JSONString.quoted($0)):\(JSONString.quoted($1))" }
        return "{\(texts.joined(separator: ","))}"
    }
}
