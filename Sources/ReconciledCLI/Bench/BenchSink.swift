import NIOCore
import NIOPosix
import Synchronization

/// A server on loopback that answers every request without a body with 200, and counts them, on one thread.
struct BenchSink: Sendable {
    private final class Counter: Sendable {
        let calls = Atomic(0)
    }

    let url: String
    private let counter: Counter

    var callCount: Int { counter.calls.load(ordering: .relaxed) }

    /// Runs it while `body` runs.
    static func with<T: Sendable>(_ body: (BenchSink) async throws -> T) async throws -> T {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let counter = Counter()
            let channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 1_024)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Answerer(counter))
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            guard let port = channel.localAddress?.port else {
                throw Bench.Failure(description: "the sink has no port")
            }
            let result = try await body(BenchSink(url: "http://127.0.0.1:\(port)/", counter: counter))
            try await group.shutdownGracefully()
            return result
        } catch {
            try? await group.shutdownGracefully()  // the first error is the one to tell
            throw error
        }
    }

    /// Finds the ends of requests, whose heads it does not read.
    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private static let end = Array("\r\n\r\n".utf8)
        private static let answer = ByteBuffer(string: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

        private let counter: Counter
        /// Bytes of the end that were seen.
        private var matched = 0

        init(_ counter: Counter) {
            self.counter = counter
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            for byte in unwrapInboundIn(data).readableBytesView {
                if byte == Self.end[matched] {
                    matched += 1
                } else {
                    matched = byte == Self.end[0] ? 1 : 0
                }
                guard matched == Self.end.count else { continue }
                matched = 0
                counter.calls.add(1, ordering: .relaxed)
                context.write(wrapOutboundOut(Self.answer), promise: nil)
            }
        }

        func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
