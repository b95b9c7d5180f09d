import AgentAPI
import Bytes
import Evidence
import Linux
import RuntimeCore

// Usage: snapshot make TREE FOLDER    makes a snapshot of TREE as the agent does, in FOLDER/tmp
//        snapshot read FILE           reads one as whoever fetched it does
// Prints one line of numbers; whoever started it reads what it cost.

func make(_ tree: String, _ folder: String) throws -> String {
    var plan = SnapshotPlan(
        header: SnapshotHeader(),
        details: SnapshotDetails(hostName: "bench", bootID: "bench", time: 0, hash: .sha256))
    plan.root = tree
    plan.packages = nil
    plan.imaLog = "\(folder)/none"
    let job = SnapshotJob(folder: AgentFolder(root: folder))
    try job.start(plan)
    while job.isBusy { Clock.sleep(milliseconds: 20) }
    let status = job.status
    guard status.state == .done, let size = status.size else {
        return "failed: \(status.problem ?? "no reason")"
    }
    return "files \(status.files) bytes \(status.bytes) size \(size)"
}

func read(_ path: String) throws -> String {
    let file = try FileDescriptor(path, .read)
    var reader = SnapshotReader()
    while true {
        let part = try file.read(upTo: 65536)
        if part.isEmpty { break }
        try reader.append(part[...])
    }
    return "files \(try reader.finish().files?.count ?? 0)"
}

let arguments = CommandLine.arguments
switch (arguments.dropFirst().first, arguments.count) {
case ("make", 4): print(try make(arguments[2], arguments[3]))
case ("read", 3): print(try read(arguments[2]))
default:
    print("usage: snapshot make TREE FOLDER | snapshot read FILE")
    Process.exit(64)
}
