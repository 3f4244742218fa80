import Histogram
import NIOCore
import NIOPosix
import Synchronization
import Timeline

/// Orders that are put over connections that stay open, one at a time on each.
final class BenchPuts: Sendable {
    struct Tally {
        var count = 0
        /// Microseconds until each was answered.
        var latency = Histogram<UInt64>(highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: .three)
        fileprivate var begun = 0
        fileprivate var refusal: String?
    }

    private let tally = Mutex(Tally())
    private let deadline: Moment
    private let countMax: Int
    private let prefix: String

    private init(prefix: String, until deadline: Moment, atMost countMax: Int = .max) {
        self.prefix = prefix
        self.deadline = deadline
        self.countMax = countMax
    }

    static func run(
        port: Int, on clients: MultiThreadedEventLoopGroup, connections: Int, for duration: Duration
    ) async throws -> Tally {
        try await BenchPuts(prefix: "put-", until: .now + duration).run(port, clients, connections: connections)
    }

    static func put(_ id: String, port: Int, on clients: MultiThreadedEventLoopGroup) async throws {
        _ = try await BenchPuts(prefix: "\(id)-", until: .now + .seconds(30), atMost: 1).run(
            port, clients, connections: 1)
    }

    private func run(_ port: Int, _ clients: MultiThreadedEventLoopGroup, connections: Int) async throws -> Tally {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<connections {
                group.addTask {
                    let channel = try await ClientBootstrap(group: clients)
                        .channelInitializer { channel in
                            channel.eventLoop.makeCompletedFuture {
                                try channel.pipeline.syncOperations.addHandler(Putter(self))
                            }
                        }
                        .connect(host: "127.0.0.1", port: port).get()
                    try await channel.closeFuture.get()
                }
            }
            try await group.waitForAll()
        }
        let tally = tally.withLock { $0 }
        if let refusal = tally.refusal { throw Bench.Failure(description: "a PUT was answered: \(refusal)") }
        return tally
    }

    /// The id of the next order; nil when it is enough.
    fileprivate func next() -> String? {
        tally.withLock { tally in
            guard tally.begun < countMax, tally.refusal == nil, Moment.now < deadline else { return nil }
            tally.begun += 1
            return "\(Bench.idPrefix)\(prefix)\(tally.begun)"
        }
    }

    fileprivate func answered(_ line: Substring, after time: Duration) {
        tally.withLock { tally in
            guard line.hasPrefix("HTTP/1.1 201 ") else {
                tally.refusal = tally.refusal ?? String(line)
                return
            }
            tally.count += 1
            _ = tally.latency.record(UInt64(max(0, min(time.wholeMicroseconds, 60_000_000))))
        }
    }

    private final class Putter: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private static let body =
            #"{"gateway":"\#(Bench.lane)","amount_minor":1999,"currency":"EUR","next_check_at":"2999-01-01T00:00:00Z"}"#

        private let puts: BenchPuts
        private var begun = Moment.now
        private var received = ""

        init(_ puts: BenchPuts) {
            self.puts = puts
        }

        func channelActive(context: ChannelHandlerContext) { put(context) }

        private func put(_ context: ChannelHandlerContext) {
            guard let id = puts.next() else { return context.close(promise: nil) }
            begun = .now
            received = ""
            let request = ByteBuffer(
                string: "PUT /v1/orders/\(id) HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
                    + "content-length: \(Self.body.utf8.count)\r\n\r\n\(Self.body)")
            context.writeAndFlush(wrapOutboundOut(request), promise: nil)
        }

        /// What answers a PUT is a JSON object without line breaks or others in it.
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            guard received.hasSuffix("}") else { return }
            puts.answered(received.prefix { $0 != "\r\n" }, after: .now - begun)
            put(context)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            puts.answered("\(error)", after: .zero)
            context.close(promise: nil)
        }
    }
}
