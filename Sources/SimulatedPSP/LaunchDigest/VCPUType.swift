import ArgumentParser

/// A processor model of QEMU, by what CPUID Fn0000_0001_EAX says in its guests.
struct VCPUType: Equatable, Sendable {
    /// QEMU's name.
    let name: String
    let family: UInt32
    let model: UInt32
    let stepping: UInt32

    /// Family, model and stepping as AMD publication 25481 packs them.
    var signature: UInt32 {
        let extendedFamily = family > 15 ? family - 15 : 0
        return extendedFamily << 20 | (model >> 4) << 16 | min(family, 15) << 8
            | (model & 15) << 4 | stepping
    }

    /// The model that QEMU's documents launch SNP guests with.
    static let usual = VCPUType(name: "EPYC-v4", family: 23, model: 1, stepping: 2)

    /// The EPYC models of QEMU 10 (`target/i386/cpu.c`), without their aliases.
    private static let models = [
        VCPUType(name: "EPYC", family: 23, model: 1, stepping: 2),
        VCPUType(name: "EPYC-Rome", family: 23, model: 49, stepping: 0),
        VCPUType(name: "EPYC-Milan", family: 25, model: 1, stepping: 1),
        VCPUType(name: "EPYC-Genoa", family: 25, model: 17, stepping: 0),
        VCPUType(name: "EPYC-Turin", family: 26, model: 0, stepping: 0),
    ]

    /// The model called `name`, with or without a version such as `-v4`.
    init?(named name: String) {
        var base = name == "EPYC-IBPB" ? "EPYC" : name
        if let dash = base.lastIndex(of: "-"), base[dash...].dropFirst().first == "v",
            UInt8(base[dash...].dropFirst(2)) != nil
        {
            base = String(base[..<dash])
        }
        guard let model = Self.models.first(where: { $0.name == base }) else { return nil }
        self.init(name: name, family: model.family, model: model.model, stepping: model.stepping)
    }

    init(name: String, family: UInt32, model: UInt32, stepping: UInt32) {
        self.name = name
        self.family = family
        self.model = model
        self.stepping = stepping
    }
}

extension VCPUType: ExpressibleByArgument {
    init?(argument: String) { self.init(named: argument) }

    var defaultValueDescription: String { name }
}

/// The hypervisor that launches; each gives its guests' processors another first state.
enum VMMType: String, CaseIterable, ExpressibleByArgument {
    case qemu, ec2, gce
}
