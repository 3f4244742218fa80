import NIOCore
import Synchronization

/// The connections that are open. Where they get too many, those that wait for a request make room: whoever asked once and
/// stays keeps nobody out.
///
/// Each connection knows by itself whether it waits; nothing is written here while requests come and go.
final class OpenConnections: Sendable {
    /// Goes to each connection: one that has waited for some time closes.
    struct MakeRoom: Sendable {}

    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isMakingRoom = false
    }

    /// So many are too many. A few more are taken while room is made.
    private let crowd: Int
    private let state = Mutex(State())

    /// - Parameter max: beyond so many none is accepted.
    init(max: Int) {
        crowd = max - max / 16
    }

    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        let isCrowded = state.withLock { state in
            state.channels[id] = channel
            guard state.channels.count >= crowd, !state.isMakingRoom else { return false }
            state.isMakingRoom = true
            return true
        }
        channel.closeFuture.whenComplete { _ in self.remove(id) }
        guard isCrowded else { return }
        let loop = channel.eventLoop
        loop.execute { self.makeRoom(on: loop) }
    }

    private func remove(_ id: ObjectIdentifier) {
        state.withLock { state in state.channels[id] = nil }
    }

    /// Goes on for as long as they are too many: one that has not waited long enough yet will have soon.
    private func makeRoom(on loop: any EventLoop) {
        let channels = state.withLock { state -> [any Channel] in
            state.isMakingRoom = state.channels.count >= crowd
            return state.isMakingRoom ? Array(state.channels.values) : []
        }
        guard !channels.isEmpty else { return }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(MakeRoom()) }
        loop.scheduleTask(in: .milliseconds(250)) { self.makeRoom(on: loop) }
    }
}
