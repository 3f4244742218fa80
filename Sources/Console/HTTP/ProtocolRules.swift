import NIOCore
import NIOHTTP1

/// What HTTP/1 asks of a server (RFC 9112) and the framework leaves out. It stands where a message still has its version and
/// its target as it was sent.
final class ProtocolRules: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The client speaks HTTP/1.0: it knows no chunks and no 100 Continue, and its answer ends with the connection.
    private var isOld = false
    /// Why the parser takes no more of what comes.
    private var fault: HTTPParserError?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data), let changed = mended(head) else {
            context.fireChannelRead(data)
            return
        }
        context.fireChannelRead(wrapInboundOut(.head(changed)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isOld || fault != nil, case .head(var head) = unwrapOutboundIn(data) else {
            context.write(data, promise: promise)
            return
        }
        if isOld {
            head.version = .http1_0
            head.headers.replaceOrAdd(name: "Connection", value: "close")
        }
        guard let fault, Self.isBareRefusal(head) else {
            context.write(wrapOutboundOut(.head(head)), promise: promise)
            return
        }
        let problem = Self.problem(of: fault)
        let body = ByteBuffer(string: problem.json)
        head.status = HTTPResponseStatus(
            statusCode: problem.status.code, reasonPhrase: problem.status.reasonPhrase)
        head.headers.replaceOrAdd(name: "Content-Type", value: Problem.type)
        head.headers.replaceOrAdd(name: "Content-Length", value: "\(body.readableBytes)")
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: promise)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? HTTPParserError { fault = error }
        context.fireErrorCaught(error)
    }

    /// The framework's answer to what is no HTTP; a refusal of ours has words.
    private static func isBareRefusal(_ head: HTTPResponseHead) -> Bool {
        head.status == .badRequest && head.headers.first(name: "Content-Length") == "0"
    }

    /// A target that is too long is not told apart from headers that are.
    private static func problem(of fault: HTTPParserError) -> Problem {
        switch fault {
        case .headerOverflow: Problem(.requestHeaderFieldsTooLarge, "the target and the headers are too large")
        default: Problem(.badRequest, "this is no HTTP/1.1 request: \(fault)")
        }
    }

    /// What the rest is to see of a head; nil: it as it is.
    private func mended(_ head: HTTPRequestHead) -> HTTPRequestHead? {
        let authority = Self.authority(of: head.uri)
        if authority == nil, head.version == .http1_1, head.isKeepAlive { return nil }
        var head = head
        // The target's counts, whatever Host says (3.2.2). None and two of those are refused later, and must be seen there.
        let hosts = head.headers["Host"].count
        if let authority, hosts == 1 { head.headers.replaceOrAdd(name: "Host", value: authority) }
        if head.version != .http1_1 {
            isOld = true
            head.headers.remove(name: "Expect")
            // An old client need not name one, and probes are old clients. It is the name of nobody: what is open to
            // this machine's names only stays closed to it.
            if hosts == 0 { head.headers.add(name: "Host", value: authority ?? "") }
        }
        // The framework looks for this word alone, in this spelling.
        if isOld || !head.isKeepAlive { head.headers.replaceOrAdd(name: "Connection", value: "close") }
        return head
    }

    /// That of a target in absolute form, `http://host:80/path`; nil where it has none.
    private static func authority(of target: String) -> String? {
        guard target.utf8.first != UInt8(ascii: "/"), let mark = target.firstRange(of: "://") else { return nil }
        return String(target[mark.upperBound...].prefix { !"/?#".contains($0) })
    }
}
