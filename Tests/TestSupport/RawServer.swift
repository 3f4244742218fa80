import NIOCore
import NIOPosix
import Outgoing

/// A server that answers every connection with what a test makes up, HTTP or not; and the client to ask it with.
///
/// - Parameter greeting: is all that it says, before anything was asked.
public func withRawServer<Result: Sendable>(
    greeting: String? = nil,
    _ answer:
        @escaping @Sendable (_ request: String, NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws ->
        Void,
    _ body: @Sendable (_ baseURL: String, _ http: OutgoingClient) async throws -> Result
) async throws -> Result {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .bind(host: "127.0.0.1", port: 0) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    let port = server.channel.localAddress?.port ?? 0
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            try await server.executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { handlers in
                    for try await connection in connections {
                        handlers.addTask { await serve(connection, greeting, answer) }
                    }
                }
            }
        }
        let http = OutgoingClient()
        do {
            let result = try await body("http://127.0.0.1:\(port)", http)
            try await http.shutdown()
            group.cancelAll()
            return result
        } catch {
            try await http.shutdown()
            group.cancelAll()
            throw error
        }
    }
}

private func serve(
    _ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ greeting: String?,
    _ answer: @Sendable (String, NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws -> Void
) async {
    do {
        try await connection.executeThenClose { inbound, outbound in
            if let greeting { try await outbound.send(greeting) }
            var request = ""
            for try await chunk in inbound {
                request += String(buffer: chunk)
                guard greeting == nil, isWhole(request) else { continue }
                try await answer(request, outbound)
                // What has not been passed on yet is lost when the connection is closed.
                try await connection.channel.writeAndFlush(ByteBuffer()).get()
                return
            }
        }
    } catch {
        // The client left in the middle of the answer: that is what many of these tests are about.
    }
}

/// Whether the head and as much body as it announces is there: closing with something unread would reset the connection.
private func isWhole(_ request: String) -> Bool {
    let text = request.utf8
    guard let end = text.firstRange(of: "\r\n\r\n".utf8)?.upperBound else { return false }
    let length = request.lowercased().split(separator: "\r\n").lazy
        .compactMap { $0.hasPrefix("content-length:") ? Int($0.dropFirst(15).filter { $0 != " " }) : nil }.first
    return text.distance(from: end, to: text.endIndex) >= length ?? 0
}

extension NIOAsyncChannelOutboundWriter<ByteBuffer> {
    public func send(_ text: String) async throws { try await write(ByteBuffer(string: text)) }
}
