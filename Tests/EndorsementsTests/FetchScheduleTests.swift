import Bytes
import Curl
import Endorsements
import Evidence
import Testing

@Suite("The schedule of requests to vendors")
struct FetchScheduleTests {
    private let first = EndorsementObject.amdRevocations(.milan)
    private let second = EndorsementObject.amdRevocations(.genoa)
    private let third = EndorsementObject.amdRevocations(.turin)

    private func schedule(_ change: (inout FetchSchedule.Rules) -> Void = { _ in }) -> FetchSchedule
    {
        var rules = FetchSchedule.Rules()
        change(&rules)
        return FetchSchedule(rules: rules)
    }

    private func vcek(_ chip: UInt8) -> EndorsementObject {
        .vcek(hwID: Array(repeating: chip, count: 64), Documents.genoa)
    }

    @Test("does nothing where nothing is wanted")
    func idle() {
        var schedule = schedule()
        #expect(schedule.next(.amd, at: .zero) == .idle)
    }

    @Test("asks once for a document that a crowd wants")
    func singleFlight() {
        var schedule = schedule()
        for peer in 0..<100 {
            _ = schedule.want(first, for: "203.0.113.\(peer)", at: .zero)
        }
        #expect(schedule.next(.amd, at: .zero) == .fetch(first))
        _ = schedule.want(first, for: "203.0.113.200", at: .seconds(1))
        #expect(schedule.next(.amd, at: .seconds(1)) == .idle)
        schedule.finished(first, nil, at: .seconds(2), random: 0)
        #expect(schedule.next(.amd, at: .seconds(60)) == .idle)
    }

    @Test("leaves ten seconds between two requests to AMD, and does not make Intel wait for them")
    func spacing() {
        var schedule = schedule()
        _ = schedule.want(first, for: "a", at: .zero)
        _ = schedule.want(second, for: "a", at: .zero)
        _ = schedule.want(.tdxQEIdentity, for: "a", at: .zero)
        #expect(schedule.next(.amd, at: .zero) == .fetch(first))
        #expect(schedule.next(.intel, at: .zero) == .fetch(.tdxQEIdentity))
        // Not beside the first one either.
        #expect(schedule.next(.amd, at: .seconds(30)) == .idle)
        schedule.finished(first, nil, at: .seconds(3), random: 0)
        #expect(schedule.next(.amd, at: .seconds(3)) == .wait(until: .seconds(10)))
        #expect(schedule.next(.amd, at: .seconds(10)) == .fetch(second))
    }

    @Test("fetches revocation lists anew however many chips somebody makes up")
    func madeUpChips() {
        var schedule = schedule()
        for chip in UInt8(0)..<8 { _ = schedule.want(vcek(chip), for: "a", at: .zero) }
        _ = schedule.want(first, for: nil, at: .zero)
        #expect(schedule.next(.amd, at: .zero) == .fetch(first))
        schedule.finished(first, nil, at: .seconds(1), random: 0)
        #expect(schedule.next(.amd, at: .seconds(10)) == .fetch(vcek(0)))
    }

    @Test("asks first for what a launch waits for")
    func urgency() {
        var schedule = schedule()
        _ = schedule.want(first, for: nil, at: .zero)
        _ = schedule.want(second, for: nil, at: .zero)
        _ = schedule.want(third, for: "203.0.113.7", at: .zero)
        // And a launch may come to want what was only to be renewed.
        _ = schedule.want(second, for: "203.0.113.7", at: .zero)
        #expect(schedule.next(.amd, at: .zero) == .fetch(second))
        schedule.finished(second, nil, at: .zero, random: 0)
        #expect(schedule.next(.amd, at: .seconds(10)) == .fetch(third))
        schedule.finished(third, nil, at: .seconds(10), random: 0)
        #expect(schedule.next(.amd, at: .seconds(20)) == .fetch(first))
    }

    @Test("backs off twice as long each time, half of it by chance, ten minutes at most")
    func backOff() {
        var schedule = schedule()
        _ = schedule.want(first, for: "a", at: .zero)
        var now = Duration.zero
        let fault = FetchFault.unavailable(status: 500, retryAfter: nil)
        for pause in [10, 20, 40, 80, 160, 320, 600, 600] {
            #expect(schedule.next(.amd, at: now) == .fetch(first))
            schedule.finished(first, fault, at: now, random: 0)
            #expect(
                schedule.next(.amd, at: now)
                    == .wait(until: now + max(.seconds(10), .seconds(pause) / 2)))
            now += .seconds(600)
        }
        #expect(schedule.next(.amd, at: now) == .fetch(first))
        schedule.finished(first, fault, at: now, random: 1023)
        #expect(
            schedule.next(.amd, at: now)
                == .wait(until: now + .seconds(300) + .seconds(300) * 1023 / 1024))
    }

    @Test("comes back when Retry-After says, with everything for that vendor")
    func retryAfter() {
        var schedule = schedule()
        _ = schedule.want(first, for: "a", at: .zero)
        #expect(schedule.next(.amd, at: .zero) == .fetch(first))
        schedule.finished(first, .limited(retryAfter: 120), at: .seconds(1), random: 0)
        _ = schedule.want(second, for: "a", at: .seconds(1))
        #expect(schedule.next(.amd, at: .seconds(20)) == .wait(until: .seconds(121)))
        #expect(schedule.next(.amd, at: .seconds(121)) == .fetch(first))
    }

    @Test("believes Retry-After for a day and no longer")
    func endlessRetryAfter() {
        var schedule = schedule()
        _ = schedule.want(first, for: "a", at: .zero)
        _ = schedule.next(.amd, at: .zero)
        schedule.finished(first, .limited(retryAfter: .max), at: .zero, random: 0)
        #expect(schedule.next(.amd, at: .zero) == .wait(until: .seconds(86_400)))
    }

    @Test(
        "asks once for what does not come, and anew after ten minutes",
        arguments: [
            FetchFault.refused(status: 404), .redirected(status: 302),
            .wrongContent(rule: "a certificate"), .transport(.answerTooLong(limit: 1)),
            .transport(.untrusted(reason: "")),
        ])
    func settled(fault: FetchFault) {
        var schedule = schedule()
        _ = schedule.want(first, for: "a", at: .zero)
        _ = schedule.next(.amd, at: .zero)
        schedule.finished(first, fault, at: .zero, random: 0)
        #expect(schedule.want(first, for: "b", at: .seconds(599)) == .failed(fault))
        #expect(schedule.next(.amd, at: .seconds(599)) == .idle)
        #expect(schedule.want(first, for: "b", at: .seconds(600)) == .comes(after: .seconds(2)))
        #expect(schedule.next(.amd, at: .seconds(600)) == .fetch(first))
    }

    @Test("says when a document may be there")
    func prospects() {
        var schedule = schedule()
        #expect(schedule.want(first, for: "a", at: .zero) == .comes(after: .seconds(2)))
        #expect(schedule.want(second, for: "a", at: .zero) == .comes(after: .seconds(12)))
        #expect(schedule.want(third, for: "a", at: .zero) == .comes(after: .seconds(22)))
        _ = schedule.next(.amd, at: .zero)
        #expect(schedule.want(second, for: "a", at: .seconds(4)) == .comes(after: .seconds(8)))
        schedule.finished(
            first, .unavailable(status: 503, retryAfter: 60), at: .seconds(4), random: 0)
        #expect(schedule.want(first, for: "a", at: .seconds(4)) == .comes(after: .seconds(62)))
    }

    @Test("lets one address wait for eight chips, and everybody for 256")
    func limits() {
        var schedule = schedule()
        for chip in 0..<8 as Range<UInt8> {
            #expect(schedule.want(vcek(chip), for: "a", at: .zero) != .turnedAway)
        }
        #expect(schedule.want(vcek(8), for: "a", at: .zero) == .turnedAway)
        #expect(schedule.want(vcek(7), for: "a", at: .zero) != .turnedAway)
        for chip in 8..<255 as Range<UInt8> {
            #expect(schedule.want(vcek(chip), for: "b\(chip)", at: .zero) != .turnedAway)
        }
        #expect(schedule.want(vcek(255), for: "c", at: .zero) != .turnedAway)
        let other = EndorsementObject.vcek(hwID: Array(0..<64), Documents.genoa)
        #expect(schedule.want(other, for: "d", at: .zero) == .turnedAway)
        #expect(schedule.want(first, for: "c", at: .zero) != .turnedAway)
        #expect(schedule.want(second, for: nil, at: .zero) != .turnedAway)
    }

    @Test("forgets the oldest failures first, so that nobody fills the memory with them")
    func forgets() {
        var schedule = schedule {
            $0.maximumSettled = 2; $0.spacing = [:]
        }
        for (time, object) in [first, second, third].enumerated() {
            _ = schedule.want(object, for: "a", at: .seconds(time))
            _ = schedule.next(.amd, at: .seconds(time))
            schedule.finished(object, .refused(status: 404), at: .seconds(time), random: 0)
        }
        #expect(schedule.want(second, for: "a", at: .seconds(3)) == .failed(.refused(status: 404)))
        #expect(schedule.want(first, for: "a", at: .seconds(3)) == .comes(after: .seconds(2)))
    }
}
