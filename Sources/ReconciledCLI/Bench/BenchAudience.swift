import NIOCore
import NIOPosix
import Synchronization

/// Those who listen to `/v1/events`, and how many events they have heard.
final class BenchAudience: Sendable {
    private struct State {
        var listening = 0
        var heard = 0
    }

    private let state = Mutex(State())

    var heardCount: Int { state.withLock { $0.heard } }

    /// They listen until their threads end.
    static func gather(
        _ count: Int, port: Int, on clients: MultiThreadedEventLoopGroup
    ) async throws -> BenchAudience {
        let audience = BenchAudience()
        for _ in 0..<count {
            _ = try await ClientBootstrap(group: clients)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Listener(audience))
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
        }
        try await Bench.poll(for: .seconds(60), "the listeners' arrival") {
            audience.state.withLock { $0.listening >= count }
        }
        return audience
    }

    private final class Listener: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let audience: BenchAudience

        init(_ audience: BenchAudience) {
            self.audience = audience
        }

        func channelActive(context: ChannelHandlerContext) {
            let request = ByteBuffer(string: "GET /v1/events?watch=orders HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            context.writeAndFlush(wrapOutboundOut(request), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            audience.state.withLock { state in
                if text.contains(": listening") { state.listening += 1 }
                if text.contains("event: ") { state.heard += 1 }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
