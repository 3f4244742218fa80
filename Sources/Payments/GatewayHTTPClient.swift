import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Timeline

/// The one HTTP client of all gateways: bounded connections, no redirects, no decompression, at most 1 MiB of a body.
///
/// TLS certificates are verified. Whoever makes one calls `shutdown()` in the end.
public final class GatewayHTTPClient: Sendable {
    /// More of a body is not read.
    public static let bodyBytesMax = 1 << 20

    private let client: HTTPClient

    /// - Parameter connectionsPerHostMax: as many calls as may be under way; more would wait for a connection until
    ///   their deadlines.
    public init(connectionsPerHostMax: Int = 256) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10)), decompression: .disabled)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connectionsPerHostMax
        // Retrying is for the row's back-off: a refused connection is an answer here.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(configuration: configuration)
    }

    public func shutdown() async throws {
        try await client.shutdown()
    }

    /// Sends one request and reads the whole answer by the deadline, however slowly it comes.
    func send(_ request: GatewayRequest, deadline: Moment) async -> Result<GatewayResponse, AnswerFailure> {
        guard deadline > Moment.now else { return .failure(.timeout) }
        // The client's own deadline ends with the response's head; a body that comes byte by byte needs this one.
        return await withTaskGroup(of: Result<GatewayResponse, AnswerFailure>?.self) { group in
            group.addTask { await self.exchange(request, deadline: deadline) }
            group.addTask {
                do {
                    try await Task.sleep(for: deadline - Moment.now)
                    return .failure(.timeout)
                } catch {
                    return nil  // the exchange was faster, or both are cancelled: it says which
                }
            }
            for await result in group {
                guard let result else { continue }
                group.cancelAll()
                return result
            }
            return .failure(.cancelled(deadline))
        }
    }

    private func exchange(_ request: GatewayRequest, deadline: Moment) async -> Result<GatewayResponse, AnswerFailure> {
        do {
            let left = max((deadline - Moment.now).wholeMicroseconds, 0)
            let response = try await client.execute(request.http, timeout: .microseconds(left))
            var body: [UInt8] = []
            for try await chunk in response.body {
                guard body.count + chunk.readableBytes <= Self.bodyBytesMax else {
                    return .failure(.tooLarge(status: Int(response.status.code)))
                }
                body += chunk.readableBytesView
            }
            // A cancelled body may end like a whole one.
            guard !Task.isCancelled else { return .failure(.cancelled(deadline)) }
            return .success(GatewayResponse(response, body: body))
        } catch {
            return .failure(AnswerFailure(error, deadline: deadline))
        }
    }
}

extension AnswerFailure {
    static func tooLarge(status: Int) -> AnswerFailure {
        AnswerFailure(.unreadable, status: status, problem: "The gateway's answer is larger than 1 MiB.")
    }

    init(_ error: any Error, deadline: Moment) {
        if Task.isCancelled || error is CancellationError {
            self = .cancelled(deadline)
            return
        }
        switch error {
        case let error as HTTPClientError where Self.timeouts.contains(error): self = .timeout
        case HTTPParserError.invalidEOFState, HTTPParserError.closedConnection:
            self.init(.connection, problem: "The gateway closed the connection before its answer was complete.")
        case is HTTPParserError:
            self.init(.unreadable, problem: "The gateway's answer is not HTTP.")
        case let error as HTTPClientError:
            self.init(.connection, problem: "The connection to the gateway failed: \(error.shortDescription).")
        default:
            // Addresses and ports only; the request, with its secrets, is not part of these errors.
            self.init(.connection, problem: "The connection to the gateway failed: \(type(of: error)).")
        }
    }

    private static let timeouts: [HTTPClientError] = [
        .deadlineExceeded, .connectTimeout, .readTimeout, .writeTimeout, .tlsHandshakeTimeout,
        .getConnectionFromPoolTimeout,
    ]
}
