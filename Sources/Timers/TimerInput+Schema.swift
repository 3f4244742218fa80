import JSON

extension TimerInput {
    /// What a JSON object may hold, as JSON Schema.
    public static let schema = InputSchema.object(
        [
            ("id", InputSchema.text), ("every", InputSchema.required(duration)),
            (
                "anchor_at",
                InputSchema.time.replacing("[2-9][0-9]{3}", with: "2[0-9]{3}")
            ),
            ("lane", InputSchema.lane),
            (
                "url",
                #"{"type":"string","format":"uri","maxLength":4096,"#
                    + #""pattern":"^https?://[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*(:[0-9]{2,4})?(/[A-Za-z0-9._~/-]*)?(\\?[A-Za-z0-9._~=&-]*)?$"}"#
            ),
            ("method", InputSchema.choice(TimerField.methods)),
            (
                "headers",
                #"{"type":["object","null"],"maxProperties":50,"propertyNames":{"pattern":"^[Xx]-[A-Za-z0-9-]{1,40}$|^[Aa]uthorization$|^[Cc]ontent-[Tt]ype$|^[Aa]ccept$|^[Uu]ser-[Aa]gent$"},"#
                    + #""additionalProperties":{"type":"string","maxLength":100,"pattern":"^[ -~]*$"},"#
                    + #""description":"Any header but those of the connection; 8 KiB in all."}"#
            ),
            ("body", #"{"type":["string","null"],"maxLength":16384,"pattern":"^[^\\u0000]*$"}"#),
            ("catch_up", InputSchema.choice(Timer.CatchUp.allCases.map(\.rawValue))),
            ("max_runs", InputSchema.integer(1...Int64.max)), ("ends_at", InputSchema.time),
            ("timeout", #"{"type":["string","null"],"pattern":"^([1-9][0-9]{0,4}ms|[1-9][0-9]{0,1}s|[1-9]m)$"}"#),
            ("expect_status", InputSchema.integer(200...599)), ("status", InputSchema.choice(["active", "paused"])),
            ("next_check_at", InputSchema.nextCheckAt), ("metadata", InputSchema.metadata),
        ],
        required: ["every", "url"],
        example: #"{"every":"30s","url":"https://shop.example/tick","method":"POST","body":"{}"}"#)

    private static let duration =
        #"{"type":["string","null"],"pattern":"^([1-9][0-9]{0,3}d)?([1-9][0-9]{0,3}h)?([1-9][0-9]{0,3}m)?[1-9][0-9]{0,5}s$|^[1-9][0-9]{1,6}ms$|^[1-9][0-9]{0,3}[dhm]$","#
        + #""description":"250ms, 30s, 1m30s, 24h, 7d; from 10ms to 36500d."}"#
}
