extension UploadReason {
    /// The session names no multipart upload.
    static let noUploadID = "NO_UPLOAD_ID"
    /// A part but the last is smaller than the store allows (5 MiB at AWS).
    static let partTooSmall = "PART_TOO_SMALL"
    /// The store refuses, again and unchanged, to put the parts together that it lists.
    static let partsRefused = "PARTS_REFUSED"
    /// More than the store takes as one object.
    static let tooLarge = "TOO_LARGE"
}
