import JSON
import Outgoing
import Timeline

/// Makes timers' calls, where they are allowed to go.
public struct TimerCaller: Sendable {
    /// What a call came to.
    enum Answer: Hashable, Sendable {
        case status(Int, wait: Duration?)
        /// No answer; says why, for people.
        case failed(String)
        /// We are stopping; whether the call arrived is not known.
        case interrupted
    }

    private let targets: TargetPolicy
    private let http: OutgoingClient
    private let publicHTTP: OutgoingClient

    /// - Parameters:
    ///   - http: for hosts that are allowed whatever their address.
    ///   - publicHTTP: connects to the public Internet only; for hosts that are allowed by a pattern.
    public init(targets: TargetPolicy, http: OutgoingClient, publicHTTP: OutgoingClient) {
        self.targets = targets
        self.http = http
        self.publicHTTP = publicHTTP
    }

    func call(_ timer: Timer, instant: Timestamp, deadline: Moment) async -> Answer {
        guard let url = EndpointURL(timer.call.url) else { return .failed("The timer's url is not one to call.") }
        let client: OutgoingClient
        switch targets.verdict(on: url) {
        case .allowed: client = http
        case .allowedIfPublic: client = publicHTTP
        case .forbidden:
            return .failed("The host is not one that timers may call; watches.timers.allowedHosts says which.")
        }
        let request: OutgoingRequest
        do {
            request = try Self.request(timer, instant: instant)
        } catch {
            return .failed("The timer's call cannot be made: \(error).")
        }
        let deadline = timer.call.timeout.map { min(deadline, Moment.now + $0) } ?? deadline
        switch await client.send(request, deadline: deadline, bodyBytesMax: OutgoingClient.ignoredBodyBytesMax) {
        case .success(let response): return .status(response.status, wait: response.retryAfter)
        case .failure(.tooLarge(let status, _)): return .status(status, wait: nil)
        case .failure(.interrupted): return .interrupted
        case .failure(let failure): return .failed(failure.problem(of: "target"))
        }
    }

    static func request(_ timer: Timer, instant: Timestamp) throws(InputError) -> OutgoingRequest {
        let call = timer.call
        var request = OutgoingRequest(method: call.method, url: call.url, body: call.body)
        if let text = call.headers {
            guard let value = try? JSONValue(parsing: text) else {
                throw InputError("headers", problem: "is not readable", allowed: "a JSON object of texts")
            }
            request.headers = try TimerField.headers("headers", value)
        }
        if let body = call.body, !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            let isJSON = body.utf8.first.map { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") } ?? false
            request.headers.append(
                (name: "content-type", value: isJSON ? "application/json" : "text/plain; charset=utf-8"))
        }
        request.headers.append((name: "idempotency-key", value: key(of: timer.id, instant)))
        return request
    }

    /// `<id>/<instant>`: the same for each call of a run, so that a target can tell a repeated one. Visible ASCII stays
    /// as it is; the rest of an id, and the percent sign, are percent-encoded.
    static func key(of id: String, _ instant: Timestamp) -> String {
        let isPlain = id.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "%") }
        guard !isPlain else { return "\(id)/\(instant)" }
        let text = id.unicodeScalars.map { scalar in
            (0x21...0x7E).contains(scalar.value) && scalar != "%"
                ? String(scalar) : PercentEncoding.segment(String(scalar))
        }
        return "\(text.joined())/\(instant)"
    }
}
