import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes connections whose other end does not do its part in time: the first head, the rest of a request, reading what it
/// asked for. Those that wait between requests are the server's to close, or close here to make room for others.
final class RequestDeadlines: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    struct Limits: Sendable {
        var firstHead = TimeAmount.seconds(10)
        /// From its head to its end.
        var request = TimeAmount.seconds(30)
        /// What is left of a request that was answered already: long enough for the answer to be read.
        var rest = TimeAmount.seconds(2)
        /// Until a client that was sent more than it takes has taken it.
        var reading = TimeAmount.seconds(30)
        /// Beyond so many none is accepted: those who listen to events, and room for requests beside them.
        var connections = EventFeed.listenersMax + 256
        /// How long one may wait for its next request where there are too many.
        var waiting = TimeAmount.seconds(1)
    }

    private let limits: Limits
    private var isReadingRequest = false
    /// Those whose head was read, and whose answer was not written to its end.
    private var unanswered = 0
    /// Since when nothing was asked or answered; holds where `unanswered` is 0.
    private var waitingSince = NIODeadline.now()
    /// When the connection is closed; nil between requests.
    private var deadline: NIODeadline?
    /// Looks at the deadline, and again later where that has moved on: most requests end long before, and need no alarm set
    /// and taken back.
    private var alarm: (at: NIODeadline, task: Scheduled<Void>)?
    private var reading: Scheduled<Void>?

    init(limits: Limits) {
        self.limits = limits
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { closeRequest(in: limits.firstHead, context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        closeRequest(in: limits.firstHead, context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            isReadingRequest = true
            unanswered += 1
            closeRequest(in: limits.request, context)
        case .body: break
        case .end:
            isReadingRequest = false
            deadline = nil
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            // What is no HTTP is answered, and was no request.
            unanswered = max(0, unanswered - 1)
            waitingSince = .now()
            if isReadingRequest { closeRequest(in: limits.rest, context) }
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        reading?.cancel()
        reading = context.channel.isWritable ? nil : closing(in: limits.reading, context)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is OpenConnections.MakeRoom else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        if hasWaited(context) { context.channel.close(promise: nil) }
    }

    /// Whether nothing has been asked or answered for some time. An answer that was not sent whole is still being given.
    private func hasWaited(_ context: ChannelHandlerContext) -> Bool {
        guard unanswered == 0, !isReadingRequest else { return false }
        guard NIODeadline.now() - waitingSince >= limits.waiting else { return false }
        let unsent = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
        return unsent == 0
    }

    func channelInactive(context: ChannelHandlerContext) {
        cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { cancel() }

    private func cancel() {
        alarm?.task.cancel()
        alarm = nil
        reading?.cancel()
    }

    private func closeRequest(in time: TimeAmount, _ context: ChannelHandlerContext) {
        let deadline = NIODeadline.now() + time
        self.deadline = deadline
        if let alarm {
            guard deadline < alarm.at else { return }
            alarm.task.cancel()
        }
        setAlarm(at: deadline, context)
    }

    private func setAlarm(at deadline: NIODeadline, _ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let task = context.eventLoop.scheduleTask(deadline: deadline) {
            let (deadlines, context) = bound.value
            deadlines.ring(context)
        }
        alarm = (deadline, task)
    }

    private func ring(_ context: ChannelHandlerContext) {
        alarm = nil
        guard let deadline else { return }
        if deadline <= .now() { context.channel.close(promise: nil) } else { setAlarm(at: deadline, context) }
    }

    private func closing(in time: TimeAmount, _ context: ChannelHandlerContext) -> Scheduled<Void> {
        let channel = context.channel
        return context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }
}
