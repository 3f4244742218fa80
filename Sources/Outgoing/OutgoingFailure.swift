import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Timeline

/// Why a call out has no whole answer. Whatever it was to do there may have happened, or not.
public enum OutgoingFailure: Error, Hashable {
    /// Nothing whole by the deadline, or silence for longer than allowed.
    case timeout
    /// The task was cancelled before the deadline: we are stopping.
    case interrupted
    /// Refused, reset, TLS failed; says which, without the request or its secrets.
    case connection(String)
    /// The connection ended before the answer did.
    case cut
    /// Not HTTP.
    case unreadable
    case tooLarge(status: Int, bytesMax: Int)

    /// A sentence for people.
    ///
    /// - Parameter peer: whom we called, e.g. `gateway`.
    public func problem(of peer: String) -> String {
        switch self {
        case .timeout: "The \(peer) did not answer in time."
        case .interrupted: "The call to the \(peer) was interrupted."
        case .connection(let what): "The connection to the \(peer) failed: \(what)."
        case .cut: "The \(peer) closed the connection before its answer was complete."
        case .unreadable: "The \(peer)'s answer is not HTTP."
        case .tooLarge(_, let bytesMax):
            "The \(peer)'s answer is larger than \(bytesMax >> 20 > 0 ? "\(bytesMax >> 20) MiB" : "\(bytesMax) bytes")."
        }
    }

    /// The task was cancelled: at its deadline (clocks and timers differ by a little), or because we stop.
    public static func cancelled(_ deadline: Moment) -> OutgoingFailure {
        Moment.now + .milliseconds(5) >= deadline ? .timeout : .interrupted
    }

    init(_ error: any Error, deadline: Moment) {
        if Task.isCancelled || error is CancellationError {
            self = .cancelled(deadline)
            return
        }
        self =
            switch error {
            case let error as HTTPClientError where Self.timeouts.contains(error): .timeout
            case HTTPParserError.invalidEOFState, HTTPParserError.closedConnection: .cut
            case is HTTPParserError: .unreadable
            case let error as HTTPClientError: .connection(error.shortDescription)
            case is ForbiddenPeer: .connection("the host's address is not a public one")
            default: .connection(Self.words(error))
            }
    }

    /// Neither the request, with its secrets, nor an address of the network inside.
    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as IOError: unsafe String(cString: strerror(error.errnoCode)).lowercased()
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { words($0.error) } ?? "the host's name is not known"
        default: "\(type(of: error))".hasPrefix("NIOSSL") ? tlsWords(error) : "\(type(of: error))"
        }
    }

    /// With the library's own word for it, such as `CERTIFICATE_VERIFY_FAILED`.
    private static func tlsWords(_ error: any Error) -> String {
        guard let reason = "\(error)".firstMatch(of: /OPENSSL_internal:([A-Z0-9_]+)/)?.1 else { return "TLS failed" }
        return "TLS failed (\(reason.lowercased().replacing("_", with: " ")))"
    }

    private static let timeouts: [HTTPClientError] = [
        .deadlineExceeded, .connectTimeout, .readTimeout, .writeTimeout, .tlsHandshakeTimeout,
        .getConnectionFromPoolTimeout,
    ]
}
