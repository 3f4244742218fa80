import Reconciling

/// What a store's configuration decides about its uploads.
public struct UploadPolicy: Hashable, Sendable {
    /// Chunks are merged when nothing about them has changed for this long.
    public var quiescence: Duration
    /// An idle session expires after this.
    public var expireAfter: Duration
    /// How long chunks are kept after the upload is complete, and trash after it expired.
    public var reclaimAfter: Duration
    /// How often an upload that is not whole yet is looked at, from its last activity; the last step repeats.
    public var cadence: [Duration]
    /// Writes schedule columns and `checks`, and says what would have been done; no status, no file.
    public var isDryRun: Bool

    public init(
        quiescence: Duration = .seconds(5), expireAfter: Duration = .seconds(86_400),
        reclaimAfter: Duration = .seconds(600), cadence: [Duration] = LaneConfiguration.defaultCadence,
        isDryRun: Bool = false
    ) {
        self.quiescence = quiescence
        self.expireAfter = expireAfter
        self.reclaimAfter = reclaimAfter
        self.cadence = cadence
        self.isDryRun = isDryRun
    }
}
