import Outgoing

extension StoreConfiguration {
    /// The store as it is configured.
    ///
    /// - Parameter http: for stores that are asked over the network.
    public func chunkStore(http: OutgoingClient) -> any ChunkStore {
        switch kind {
        case .directory(let directory): DirectoryStore(directory, concurrency: concurrency ?? 8)
        case .s3(let settings): S3Store(settings, timeout: timeout, http: http)
        }
    }
}
