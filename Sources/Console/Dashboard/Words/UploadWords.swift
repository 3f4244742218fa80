import Timeline

/// Uploads in words.
struct UploadWords: WatchWords {
    let openStatuses: Set<String> = ["receiving", "merging"]
    let goodStatuses: Set<String> = ["complete"]

    let columns: [ListColumn] = [
        ListColumn("Name", .text("name"), isLong: true), .status, ListColumn("Progress", .progress),
        ListColumn("Size", .note("total_bytes"), isNumber: true), ListColumn("Store", .text("store")), .nextCheck, .why,
    ]

    let facts: [(column: String, name: String)] = [
        ("name", "Name"), ("store", "Store"), ("location", "Where it is"), ("total_bytes", "Size"),
        ("chunk_count", "Chunks"), ("received_chunks", "Chunks that are there"), ("missing", "Missing chunks"),
        ("merged_bytes", "Merged so far"), ("sha256", "Expected SHA-256"), ("last_activity_at", "Last activity"),
        ("expires_at", "Expires"), ("reclaimed_at", "Chunks freed"), ("reclaimed_bytes", "Bytes freed"),
        ("next_check_at", "Next check"), ("last_checked_at", "Last check"), ("check_count", "Checks"),
        ("last_error", "Last error"), ("created_at", "Created"), ("metadata", "Metadata"),
    ]

    func summary(_ row: RowFields, _ times: TimeWords) -> String? {
        guard let name = row["name"], let store = row["store"] else { return nil }
        return "\(name) in \(store)"
    }

    func progress(_ row: RowFields) -> (percent: Int, text: String)? {
        let received = row.integer("received_chunks") ?? 0
        let chunks = row.integer("chunk_count") ?? 0
        let arrived = "\(received) of \(CountWords.text(chunks, "chunk"))"
        switch row["status"] {
        case "complete": return (100, "complete")
        case "merging":
            let share = Self.percent(row.integer("merged_bytes") ?? 0, of: row.integer("total_bytes") ?? 0)
            return (share, "\(share) % merged")
        case "receiving": return (Self.percent(received, of: chunks), arrived)
        default: return nil
        }
    }

    private static func percent(_ part: Int64, of whole: Int64) -> Int {
        whole > 0 ? max(0, min(100, Int(Double(part) / Double(whole) * 100))) : 0
    }

    private static let answers = [
        "CHUNKS_MISSING": "chunks are missing", "NOT_QUIESCENT": "all chunks are there; waiting until nothing changes",
        "CHUNKS_WHOLE": "all chunks are there", "CHUNKS_CHANGED": "a chunk changed while it was merged; begun anew",
        "NO_SPACE": "there is not enough space; it waits", "MERGED": "merged", "FOUND_COMPLETE": "found complete",
        "EXPIRED": "nobody went on with it: expired", "KEPT": "kept", "DISCARDED": "chunks put out of the way",
        "RECLAIMED": "chunks freed", "ALREADY_RECLAIMED": "the chunks were gone already",
        "NOT_RECLAIMED": "nothing was freed, for the row does not say what in the store is its own",
        "UNAVAILABLE": "the store cannot be reached", "UNREADABLE": "the store's answer cannot be read",
        "MISCONFIGURED": "the store refused our configuration", "INTERRUPTED": "interrupted; it goes on later",
        "dry_run": "dry run: nothing was changed",
    ]

    func answer(_ entry: RowFields, _ times: TimeWords) -> String {
        let lane = entry["lane"] ?? "The store"
        let words = entry["reason"].flatMap { Self.answers[$0] } ?? "looked at"
        guard let missing = entry.object("answer")?["missing"], !missing.isEmpty else { return "\(lane): \(words)" }
        return "\(lane): \(words) (\(missing.prefix(60)))"
    }

    func change(_ entry: RowFields, ordinal: Int64?, _ times: TimeWords) -> String? {
        let check = ordinal.map { " on the \(CountWords.ordinal($0)) check" } ?? ""
        switch (entry["status_after"], entry["reason"]) {
        case ("complete", "FOUND_COMPLETE"): return "The whole file was there already, found\(check): complete"
        case ("complete", _) where entry["status_before"] != "complete":
            return "Merged, verified and published\(check): complete"
        case ("merging", _) where entry["status_before"] != "merging": return "All chunks were there\(check): merging"
        case ("expired", _) where entry["status_before"] != "expired":
            return "Nobody went on with it, and it is not complete elsewhere: expired"
        default: return nil
        }
    }

    let reasons: [String: ReasonWords] = [
        "DIGEST_MISMATCH": ReasonWords(
            "The content is not what was announced.",
            "The chunks together, or the file that was marked complete, have another SHA-256. The chunks are kept.",
            "Have the bad chunk (named below) sent again, or move the wrong file away; then set it to receiving."),
        "SIZE_MISMATCH": ReasonWords(
            "The size is not what was announced.",
            "The chunks together, or the file that was marked complete, have another size. The chunks are kept.",
            "Have the chunks named below sent again, or move the wrong file away; then set it to receiving."),
        "TARGET_EXISTS": ReasonWords(
            "Something else has that name.",
            "A file of other content, or of which nobody can tell, is at the target, or in the place of its directory.",
            "Move that file away and set this to receiving, or mark this expired."),
        "TARGET_MISSING": ReasonWords(
            "The file is not there.", "Someone marked it complete, and the target does not hold it.",
            "Set it to receiving to have it merged from its chunks, or mark it expired."),
        "INVALID_SESSION": ReasonWords(
            "Its numbers make up no file.", "Sizes and chunk count contradict each other.",
            "Correct the row, then set it to receiving; or mark it expired."),
        "INVALID_NAME": ReasonWords(
            "Its name leads out of the store.", "The name or id fits no file of this store.",
            "Correct the row, then set it to receiving; or mark it expired."),
        "NO_UPLOAD_ID": ReasonWords(
            "It names no multipart upload.", "The row has no s3_upload_id.",
            "Write it to the row, then set it to receiving; or mark it expired."),
        "PART_TOO_SMALL": ReasonWords(
            "A part is too small.", "The store takes no part under its minimum but the last.",
            "Have the client upload larger parts."),
        "PARTS_REFUSED": ReasonWords(
            "The store refuses its own parts.", "It lists them, and refuses to put them together, again and unchanged.",
            "Have the client send the parts again, then set it to receiving; or mark it expired."),
        "TOO_LARGE": ReasonWords(
            "It is larger than the store allows.", "Its parts or its size exceed the store's limits.",
            "Have the client upload it in another way."),
    ]
}
