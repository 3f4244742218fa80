import JSON
import Timeline

/// What the upload rules and the store carry from one check to the next, in the column `progress`.
public struct UploadProgress: Hashable, Sendable {
    /// What the chunks looked like, and since when they look like it, by the database's clock.
    public struct Seen: Hashable, Sendable {
        public var fingerprint: String
        public var since: Timestamp

        public init(fingerprint: String, since: Timestamp) {
            self.fingerprint = fingerprint
            self.since = since
        }
    }

    /// Chunks of an expired upload that were put out of the way.
    public struct Trash: Hashable, Sendable {
        public var bytes: Int64
        /// Kept until then.
        public var until: Timestamp

        public init(bytes: Int64, until: Timestamp) {
            self.bytes = bytes
            self.until = until
        }
    }

    /// Bytes of the target that were durable at the store's last checkpoint.
    public var mergedBytes: Int64?
    /// The store's own, noted with it.
    public var state: JSONValue?
    public var seen: Seen?
    /// The look of the chunks for which the target was found not to be this upload: it is not looked at again for it.
    public var disproved: String?
    /// We proved that the upload is complete; its chunks are kept until then.
    public var reclaimAt: Timestamp?
    /// We proved that the upload is not complete, and let it expire.
    public var isIncomplete: Bool
    public var trash: Trash?
    /// Chunks may lie out of the way of an upload that is not expired: a person had it begin anew, or it came by other
    /// statuses. When it receives, they come back first.
    public var isRestoring: Bool
    /// A person decided what became of it.
    public var isResolved: Bool
    /// The reason of a review that these rules gave, which they may take back.
    public var reviewed: String?
    /// Merges in a row that found no space.
    public var spaceWaits: Int
    /// Merges that began anew because chunks changed.
    public var restarts: Int

    public init(
        mergedBytes: Int64? = nil, state: JSONValue? = nil, seen: Seen? = nil, disproved: String? = nil,
        reclaimAt: Timestamp? = nil, isIncomplete: Bool = false, trash: Trash? = nil, isRestoring: Bool = false,
        isResolved: Bool = false, reviewed: String? = nil, spaceWaits: Int = 0, restarts: Int = 0
    ) {
        self.mergedBytes = mergedBytes
        self.state = state
        self.seen = seen
        self.disproved = disproved
        self.reclaimAt = reclaimAt
        self.isIncomplete = isIncomplete
        self.trash = trash
        self.isRestoring = isRestoring
        self.isResolved = isResolved
        self.reviewed = reviewed
        self.spaceWaits = spaceWaits
        self.restarts = restarts
    }

    /// Chunks may lie out of the way, of an upload that goes on after all: a person said so, or the application that wrote
    /// the status.
    var mayBePutAway: Bool { isRestoring || isIncomplete || trash != nil }

    /// What goes with the upload into another status: how far the file is written, what the store knows of it, and that
    /// chunks may lie out of the way.
    var carried: UploadProgress {
        UploadProgress(mergedBytes: mergedBytes, state: state, isRestoring: mayBePutAway, restarts: restarts)
    }

    /// Reads the column. What cannot be read counts as nothing: the file is then written from its start, and what was
    /// proved is proved again, which only takes longer.
    public init(json: String?) {
        self.init()
        guard let json, let document = try? JSONValue(parsing: json) else { return }
        mergedBytes = document["merged_bytes"]?.integer.flatMap { $0 >= 0 ? $0 : nil }
        state = document["state"].flatMap { $0.isNull ? nil : $0 }
        if let fingerprint = document["seen"]?["fingerprint"]?.string, let since = Self.time(document["seen"]?["since"])
        {
            seen = Seen(fingerprint: fingerprint, since: since)
        }
        disproved = document["disproved"]?.string
        reclaimAt = Self.time(document["reclaim_at"])
        isIncomplete = document["incomplete"]?.bool ?? false
        if let bytes = document["trash"]?["bytes"]?.integer, bytes >= 0,
            let until = Self.time(document["trash"]?["until"])
        {
            trash = Trash(bytes: bytes, until: until)
        }
        isRestoring = document["restore"]?.bool ?? false
        isResolved = document["resolved"]?.bool ?? false
        reviewed = document["reviewed"]?.string
        spaceWaits = Self.count(document["space_waits"])
        restarts = Self.count(document["restarts"])
    }

    /// The column's new value; nil if there is nothing to carry.
    public var json: String? { self == UploadProgress() ? nil : object.text }

    /// As a checkpoint writes it, which the journal takes only while the session is still the one that it is about.
    func journaled(of upload: Upload) -> String {
        var object = object
        var session = upload.basisObject
        session.add("status", upload.status)
        object.add("session", object: session)
        return object.text
    }

    private var object: JSONObjectText {
        var object = JSONObjectText()
        object.add("merged_bytes", mergedBytes)
        object.add("state", json: state)
        if let seen {
            var look = JSONObjectText()
            look.add("fingerprint", seen.fingerprint)
            look.add("since", seen.since.description)
            object.add("seen", object: look)
        }
        object.add("disproved", disproved)
        object.add("reclaim_at", reclaimAt?.description)
        if isIncomplete { object.add("incomplete", true) }
        if let trash {
            var kept = JSONObjectText()
            kept.add("bytes", trash.bytes)
            kept.add("until", trash.until.description)
            object.add("trash", object: kept)
        }
        if isRestoring { object.add("restore", true) }
        if isResolved { object.add("resolved", true) }
        object.add("reviewed", reviewed)
        if spaceWaits > 0 { object.add("space_waits", Int64(spaceWaits)) }
        if restarts > 0 { object.add("restarts", Int64(restarts)) }
        return object
    }

    private static let countMax = 1_000

    private static func count(_ value: JSONValue?) -> Int {
        Int(min(max(value?.integer ?? 0, 0), Int64(countMax)))
    }

    private static func time(_ value: JSONValue?) -> Timestamp? { value?.string.flatMap { Timestamp($0) } }

    mutating func countSpaceWait() { spaceWaits = min(spaceWaits + 1, Self.countMax) }

    mutating func countRestart() { restarts = min(restarts + 1, Self.countMax) }
}
