import NIOCore
import NIOHTTP1

/// What HTTP/1 asks of a server (RFC 9112) and the framework leaves out. It stands where a message still has its
/// target as it was sent.
final class ProtocolRules: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data), let changed = mended(head) else {
            context.fireChannelRead(data)
            return
        }
        context.fireChannelRead(wrapInboundOut(.head(changed)))
    }

    /// What the rest is to see of a head; nil: it as it is.
    private func mended(_ head: HTTPRequestHead) -> HTTPRequestHead? {
        // The target's authority counts, whatever Host says (3.2.2). Two of those are refused later, and must be seen there.
        guard let authority = Self.authority(of: head.uri), head.headers["Host"].count < 2 else { return nil }
        var head = head
        head.headers.replaceOrAdd(name: "Host", value: authority)
        return head
    }

    /// That of a target in absolute form, `http://host:80/path`; nil where it has none.
    private static func authority(of target: String) -> String? {
        guard target.utf8.first != UInt8(ascii: "/"), let mark = target.firstRange(of: "://") else { return nil }
        return String(target[mark.upperBound...].prefix { !"/?#".contains($0) })
    }
}
