import Glibc
import Reconciling
import Timeline

@testable import Uploads

/// A store whose S3 is not ours, and sessions that are checked until they rest: 19 bytes in parts of 8, 8 and 3.
struct S3Scene {
    static let bodies = ["hello, w", "orld! he", "llo"]
    static let whole = bodies.joined()
    static let digest = "20d7378628b8634b413544883512a907ee474fceb5fe7c61f0c76f2d0b625080"

    var store: S3Store
    var peer: S3Peer

    func client(_ key: String) -> S3PeerClient { S3PeerClient(peer: peer, key: key) }

    /// A session at the peer, and what has arrived of it.
    static func session(
        _ client: S3PeerClient, parts: [Int: String] = [1: bodies[0], 2: bodies[1], 3: bodies[2]],
        sha256: String? = nil, status: String = "receiving"
    ) async throws -> WatchedSession {
        let id = try await client.begin()
        for (number, body) in parts.sorted(by: { $0.key < $1.key }) { try await client.part(number, body, of: id) }
        var clock = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &clock)
        let now = Timestamp(microseconds: Int64(clock.tv_sec) * 1_000_000)
        var session = WatchedSession(
            Upload(
                id: client.key, store: "media", name: client.key, totalBytes: 19, chunkBytes: 8, chunkCount: 3,
                sha256: sha256, status: status, createdAt: now, s3UploadID: id))
        (session.now, session.dueAt) = (now, now)
        return session
    }

    /// Checks until the row rests, or `count` times; returns the reasons but for those of waiting.
    func run(_ session: inout WatchedSession, count: Int = 20) async -> [String] {
        let reconciler = UploadReconciler(lanes: ["media": UploadLane(store: store, policy: Session.policy)])
        var reasons: [String] = []
        for _ in 0..<count {
            guard await session.check(reconciler) else { break }
            if let reason = session.last?.reason, reason != "NOT_QUIESCENT" { reasons.append(reason) }
        }
        return reasons
    }
}
