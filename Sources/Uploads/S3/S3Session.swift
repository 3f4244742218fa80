/// What S3 has to be told of an upload, checked.
struct S3Session: Sendable {
    let key: String
    let uploadID: String
    let plan: ChunkPlan
    /// Expected, in lower-case hex.
    let sha256: String?

    init(_ upload: Upload, _ plan: ChunkPlan) throws(StoreFault) {
        guard let uploadID = upload.s3UploadID, !uploadID.isEmpty else {
            throw StoreFault(
                .invalid(reason: UploadReason.noUploadID), "s3_upload_id is empty: the multipart upload's id is needed."
            )
        }
        if let problem = S3Address.problem(of: upload.name) {
            throw StoreFault(.invalid(reason: UploadReason.invalidName), "No object can have that name: \(problem).")
        }
        guard (1...S3Listing.partNumberMax).contains(plan.count) else {
            throw StoreFault(
                .invalid(reason: UploadReason.invalidSession),
                "S3 makes an object of 1 to 10000 parts, and chunk_count is \(plan.count).")
        }
        key = upload.name
        self.uploadID = uploadID
        self.plan = plan
        sha256 = upload.sha256?.lowercased()
    }

    /// The parts that make the object, in order; nil if one of them is missing, of another size or not one alone.
    func wholeParts(_ listing: S3Listing) -> [S3Part]? {
        var parts: [S3Part] = []
        for index in 0..<plan.count {
            guard let part = listing.parts[index + 1], part.bytes == plan.bytes(at: index),
                !listing.duplicates.contains(part.number)
            else { return nil }
            parts.append(part)
        }
        return parts
    }
}
