import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization
import Timeline

/// The one HTTP client for calls out: bounded connections, no redirects, no decompression, bounded bodies, a deadline on
/// every call.
///
/// TLS certificates are verified. Whoever makes one calls `shutdown()` in the end.
public final class OutgoingClient: Sendable {
    /// More of a body is not read, unless a call says so.
    public static let bodyBytesMax = 1 << 20
    /// For calls of which only the answer's status counts: a body that is read to its end leaves the connection for the
    /// next one.
    public static let ignoredBodyBytesMax = 64 << 10

    /// Which addresses it connects to.
    public enum Peers: Hashable, Sendable {
        case any
        /// Those of the public Internet. Judged by the address that a connection was made to, before anything is sent on
        /// it: what a name was resolved to at another time proves nothing.
        case publicOnly
    }

    private let client: HTTPClient

    /// - Parameter connectionsPerHostMax: as many calls as may be under way; more would wait for a connection until
    ///   their deadlines.
    public init(connectionsPerHostMax: Int = 256, peers: Peers = .any) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10)), decompression: .disabled)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connectionsPerHostMax
        // Retrying is for the row's back-off: a refused connection is an answer here.
        configuration.connectionPool.retryConnectionEstablishment = false
        if peers == .publicOnly {
            configuration.http1_1ConnectionDebugInitializer = { channel in
                if let peer = channel.remoteAddress.flatMap(IPAddress.init), peer.isPublic {
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                channel.close(mode: .all, promise: nil)
                return channel.eventLoop.makeFailedFuture(ForbiddenPeer())
            }
        }
        client = HTTPClient(configuration: configuration)
    }

    public func shutdown() async throws {
        try await client.shutdown()
    }

    /// Sends one request and reads the whole answer by the deadline, however slowly it comes.
    ///
    /// - Parameter idleLimit: how long the other side may send nothing at all; nil bounds only the whole.
    public func send(
        _ request: OutgoingRequest, deadline: Moment, idleLimit: Duration? = nil,
        bodyBytesMax: Int = OutgoingClient.bodyBytesMax
    ) async -> Result<OutgoingResponse, OutgoingFailure> {
        await read(request, deadline: deadline, idleLimit: idleLimit, into: [UInt8]()) {
            (body, response, bytes) throws(OutgoingFailure) in
            guard body.count + bytes.count <= bodyBytesMax else {
                throw .tooLarge(status: response.status, bytesMax: bodyBytesMax)
            }
            body += bytes
        }.map { response, body in
            var response = response
            response.body = body
            return response
        }
    }

    /// Sends one request and hands over the answer's body as it comes: for what is too large to be held.
    ///
    /// - Parameter take: gets each piece in order, with the answer's head; what it throws ends the call.
    public func read<State: Sendable>(
        _ request: OutgoingRequest, deadline: Moment, idleLimit: Duration? = nil, into initial: State,
        take: @escaping @Sendable (inout State, OutgoingResponse, ByteBufferView) throws(OutgoingFailure) -> Void
    ) async -> Result<(OutgoingResponse, State), OutgoingFailure> {
        guard deadline > Moment.now else { return .failure(.timeout) }
        let patience = Patience(deadline: deadline, idleLimit: idleLimit)
        // The client's own deadline ends with the response's head; a body that comes byte by byte needs this one.
        return await withTaskGroup(of: Result<(OutgoingResponse, State), OutgoingFailure>?.self) { group in
            group.addTask {
                do throws(OutgoingFailure) {
                    return .success(try await self.exchange(request, patience, initial, take))
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                do {
                    try await patience.wait()
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

    private func exchange<State>(
        _ request: OutgoingRequest, _ patience: Patience, _ initial: State,
        _ take: (inout State, OutgoingResponse, ByteBufferView) throws(OutgoingFailure) -> Void
    ) async throws(OutgoingFailure) -> (OutgoingResponse, State) {
        do {
            let left = max((patience.deadline - Moment.now).wholeMicroseconds, 0)
            let response = try await client.execute(request.http, timeout: .microseconds(left))
            patience.renew()
            let head = OutgoingResponse(response, body: [])
            var state = initial
            for try await chunk in response.body {
                patience.renew()
                try take(&state, head, chunk.readableBytesView)
            }
            // A cancelled body may end like a whole one.
            guard !Task.isCancelled else { throw OutgoingFailure.cancelled(patience.deadline) }
            return (head, state)
        } catch let failure as OutgoingFailure {
            throw failure
        } catch {
            throw OutgoingFailure(error, deadline: patience.deadline)
        }
    }
}

/// The host's address is not one of the public Internet.
struct ForbiddenPeer: Error {}

/// How long a call waits: until its deadline, and not through a longer silence than allowed.
private final class Patience: Sendable {
    let deadline: Moment
    private let idleLimit: Duration?
    private let end: Mutex<Moment>

    init(deadline: Moment, idleLimit: Duration?) {
        self.deadline = deadline
        self.idleLimit = idleLimit
        end = Mutex(idleLimit.map { min(deadline, Moment.now + $0) } ?? deadline)
    }

    /// Something came.
    func renew() {
        guard let idleLimit else { return }
        let next = min(deadline, Moment.now + idleLimit)
        end.withLock { $0 = next }
    }

    /// Returns when it is at its end; throws if the task is cancelled before.
    func wait() async throws {
        while true {
            let left = end.withLock { $0 } - Moment.now
            guard left > .zero else { return }
            try await Task.sleep(for: left)
        }
    }
}
