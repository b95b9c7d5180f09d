import Curl
import Synchronization
import Testing

@Test("an answer longer than the limit is refused")
func tooLong() throws {
    let folder = try TestFolder()
    let broker = try StubBroker(in: folder)
    defer { broker.stop() }
    broker.state.withLock { $0.fixedAnswer = (200, String(repeating: "x", count: 1001)) }
    let client = HTTPClient(socket: broker.socket, maximumAnswer: 1000)
    #expect(throws: HTTPFault.answerTooLong(limit: 1000)) { _ = try client.send(.get, "/") }
    broker.state.withLock { $0.fixedAnswer = (404, String(repeating: "x", count: 1000)) }
    let answer = try client.send(.get, "/")
    #expect(answer.status == 404)
    #expect(answer.body.count == 1000)
}

@Test("a server that does not answer is left after the timeout")
func timesOut() throws {
    let folder = try TestFolder()
    let broker = try StubBroker(in: folder)
    defer { broker.stop() }
    broker.state.withLock { $0.isSilent = true }
    let client = HTTPClient(socket: broker.socket, timeout: 200)
    #expect(throws: HTTPFault.timedOut(milliseconds: 200)) { _ = try client.send(.get, "/") }
}

@Test("a socket that is not there is unreachable, with the system's reason")
func unreachable() throws {
    let client = HTTPClient(socket: "/nonexistent/socket")
    do {
        _ = try client.send(.get, "/")
        Issue.record("something answered")
    } catch {
        guard case .unreachable(let errno, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(errno == 2)
    }
}

@Test("a body arrives whole, with its method and target")
func body() throws {
    let folder = try TestFolder()
    let broker = try StubBroker(in: folder)
    defer { broker.stop() }
    let toml = String(repeating: "# a long comment\\n", count: 10_000)
    let answer = try HTTPClient(socket: broker.socket)
        .send(.put, "/v1/policies/web", json: Array("{\"toml\":\"\(toml)\"}".utf8))
    #expect(answer.status == 200)
    #expect(broker.state.withLock { $0.requests } == ["PUT /v1/policies/web"])
    #expect(broker.state.withLock { $0.policies["web"]?.utf8.count } == 170_000)
}
