import Outgoing

extension OutgoingResponse {
    /// What a status other than 2xx and 404 means for every gateway alike.
    var failureAnswer: Answer {
        switch status {
        case 401, 403:
            .configError("the gateway refuses our credentials (HTTP \(status))", status: status)
        case 429: .unknown(failure(.throttled, "The gateway asks us to slow down"))
        case 500...599: .unknown(failure(.server, "The gateway failed"))
        case 300...399: .unknown(failure(.rejected, "The gateway redirects, which is not followed"))
        default: .unknown(failure(.rejected, "The gateway did not answer the question"))
        }
    }

    /// What may keep a body from being read: none of these codings was asked for, and none is undone.
    var encodingProblem: String? {
        guard case .value(let coding) = Answer.text(header("content-encoding") ?? ""), coding.lowercased() != "identity"
        else { return nil }
        return "The answer's body is encoded (Content-Encoding: \(coding)), which was not asked for."
    }

    func failure(_ kind: AnswerFailure.Kind, _ problem: String) -> AnswerFailure {
        AnswerFailure(kind, status: status, retryAfter: retryAfter, problem: "\(problem) (HTTP \(status)).")
    }
}

extension AnswerFailure {
    static let timeout = AnswerFailure(OutgoingFailure.timeout)

    init(_ failure: OutgoingFailure) {
        let problem = failure.problem(of: "gateway")
        switch failure {
        case .timeout: self.init(.timeout, problem: problem)
        case .interrupted: self.init(.interrupted, problem: "The check was interrupted.")
        case .connection, .cut: self.init(.connection, problem: problem)
        case .unreadable: self.init(.unreadable, problem: problem)
        case .tooLarge(let status, _): self.init(.unreadable, status: status, problem: problem)
        }
    }
}
