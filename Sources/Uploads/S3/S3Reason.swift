/// What only humans can help with.
enum S3Reason {
    /// The session names no multipart upload.
    static let noUploadID = "NO_UPLOAD_ID"
    /// A part but the last is smaller than the store allows (5 MiB at AWS).
    static let partTooSmall = "PART_TOO_SMALL"
    static let tooLarge = "TOO_LARGE"
    static let invalidName = "INVALID_NAME"
    static let invalidSession = "INVALID_SESSION"
    static let targetExists = "TARGET_EXISTS"
}
