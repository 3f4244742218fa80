import JSON

extension UploadInput {
    /// What a JSON object may hold, as JSON Schema. That `chunk_count` fits the sizes it cannot say.
    public static let schema = InputSchema.object(
        [
            ("id", InputSchema.text), ("store", InputSchema.requiredLane),
            (
                "name",
                #"{"type":"string","minLength":1,"maxLength":1024,"pattern":"^[A-Za-z0-9_-][^\\u0000-\\u001f\\u007f-\\u009f]*$","#
                    + #""description":"A relative path; 1024 bytes at most, 255 a part."}"#
            ),
            ("total_bytes", InputSchema.required(InputSchema.integer(0...Int64.max))),
            ("chunk_bytes", InputSchema.required(InputSchema.integer(1...Int64.max))),
            ("chunk_count", InputSchema.integer(0...Int64(ChunkPlan.countMax))),
            ("sha256", #"{"type":["string","null"],"pattern":"^[0-9A-Fa-f]{64}$"}"#),
            ("status", InputSchema.choice(["receiving"])),
            ("expires_at", InputSchema.time),
            ("s3_upload_id", #"{"type":["string","null"],"pattern":"^[!-~]{1,1024}$"}"#),
            ("created_at", InputSchema.time), ("next_check_at", InputSchema.nextCheckAt),
            ("metadata", InputSchema.metadata),
        ],
        required: ["store", "name", "total_bytes", "chunk_bytes"],
        example: #"{"store":"media","name":"2024/beach.jpg","total_bytes":3000001,"chunk_bytes":262144}"#)
}
