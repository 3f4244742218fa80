import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTPTypes

/// What travels with a request through the HTTP interface.
public struct ConsoleContext: RequestContext, RemoteAddressRequestContext {
    public var coreContext: CoreRequestContextStorage
    public let remoteAddress: SocketAddress?
    /// Who asks; set by `Door`.
    public var caller = Caller.nobody
    /// What a form of the dashboard must bring along; empty outside of it.
    var formSecret = ""
    private let channel: any Channel

    public init(source: Source) {
        coreContext = .init(source: source)
        remoteAddress = source.channel.remoteAddress
        channel = source.channel
    }

    /// Tells a client that waits for the word to send its body (RFC 9110, 10.1.1).
    func askForBody() {
        channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)), promise: nil)
    }
}

/// Who a request comes from.
public struct Caller: Hashable, Sendable {
    /// Stands in `history` as the actor of what is changed.
    public var name: String
    /// Nil: nobody that is known.
    public var role: AccessToken.Role?

    public init(name: String, role: AccessToken.Role?) {
        self.name = name
        self.role = role
    }

    static let nobody = Caller(name: "", role: nil)
    /// Anyone, where no token is configured and only this machine is listened to.
    static let local = Caller(name: "local", role: .admin)
}
