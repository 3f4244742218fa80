import Timeline

/// A migration as the database has recorded it.
public struct AppliedMigration: Hashable, Sendable {
    public var version: Int32
    public var name: String
    public var checksum: String
    public var oldest: Int32
    public var appliedAt: Timestamp
}

/// How a database's schema stands to the migrations that this version of Reconciled knows.
public struct SchemaState: Hashable, Sendable {
    public var applied: [AppliedMigration]
    /// In order; empty when nothing is to be done.
    public var pending: [Migration]
    /// Why pollers of this version must not run on it, and what to do; nil when they may.
    public var problem: String?

    /// Pure, so that every case has a test.
    public init(applied: [AppliedMigration], known: [Migration]) {
        self.applied = applied
        let appliedVersions = Set(applied.map(\.version))
        pending = known.filter { !appliedVersions.contains($0.version) }
        problem = Self.problem(applied: applied, known: known, pending: pending)
    }

    private static func problem(applied: [AppliedMigration], known: [Migration], pending: [Migration]) -> String? {
        guard !applied.isEmpty else {
            return "the database has no schema `reconciled` yet; run `reconciled migrate`"
        }
        let knownByVersion = Dictionary(uniqueKeysWithValues: known.map { ($0.version, $0) })
        for migration in applied {
            if let ours = knownByVersion[migration.version], ours.checksum != migration.checksum {
                return "migration v\(migration.version) (\(migration.name)) in the database is not the one that this "
                    + "version of reconciled knows; it was edited after it was released: install the version that "
                    + "applied it"
            }
        }
        let newest = known.last?.version ?? 0
        if let tooNew = applied.first(where: { $0.version > newest && $0.oldest > newest }) {
            return "the database's schema is at v\(tooNew.version), which needs a reconciled that knows "
                + "v\(tooNew.oldest) or later, and this one knows v\(newest): upgrade reconciled"
        }
        if let first = pending.first {
            return "the database's schema lacks migration v\(first.version) (\(first.name)); run `reconciled migrate`"
        }
        return nil
    }
}
