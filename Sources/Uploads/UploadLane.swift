/// One store as the uploads' reconciler uses it.
public struct UploadLane: Sendable {
    public var store: any ChunkStore
    public var policy: UploadPolicy

    public init(store: any ChunkStore, policy: UploadPolicy = .init()) {
        self.store = store
        self.policy = policy
    }
}
