import Hummingbird

extension ConsoleServer {
    /// What the server itself serves; the rest tells of itself.
    static let ownOperations: [APIOperation] = [
        APIOperation(
            .get, "/healthz", role: nil, "Tell that the process is alive.",
            answers: [.init(.ok, "It is.", schema: #"{"type":"object"}"#)]),
        APIOperation(
            .get, "/readyz", role: nil, "Tell whether work gets done, and why not.",
            answers: [
                .init(.ok, "It does.", schema: readiness),
                .init(.serviceUnavailable, "It does not; reasons says why.", schema: readiness),
            ]),
        APIOperation(
            .get, "/metrics", role: .viewer, "Metrics in the Prometheus text format.",
            answers: [.init(.ok, "All metrics.", type: "text/plain")], problems: [.misdirectedRequest]),
        APIOperation(
            .get, "/openapi.json", role: nil, "This document.",
            answers: [.init(.ok, "OpenAPI 3.1.", schema: #"{"type":"object"}"#)], problems: [.misdirectedRequest]),
    ]

    private static let readiness =
        #"{"type":"object","required":["ready","reasons"],"properties":{"ready":{"type":"boolean"},"#
        + #""reasons":{"type":"array","items":{"type":"object","required":["code","detail"]}}}}"#
}
