import JSON
import Outgoing

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
                    + #""pattern":"^https?://(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?([/?][!$-Z^-~\\[\\]]*)?$","#
                    + #""description":"\#(EndpointURL.allowed)."}"#
            ),
            ("method", InputSchema.choice(TimerField.methods)),
            (
                "headers",
                #"{"type":["object","null"],"maxProperties":50,"propertyNames":{"pattern":"^[0-9A-Za-z!#$%&'*+.^_`|~-]+$"},"#
                    + #""additionalProperties":{"type":"string","pattern":"^[\\t -~]*$"},"#
                    + #""description":"Any header but those of the connection; 8 KiB in all."}"#
            ),
            (
                "body",
                #"{"type":["string","null"],"maxLength":65536,"pattern":"^[^\\u0000]*$","description":"At most 64 KiB."}"#
            ),
            ("catch_up", InputSchema.choice(Timer.CatchUp.allCases.map(\.rawValue))),
            ("max_runs", InputSchema.integer(1...Int64.max)), ("ends_at", InputSchema.time),
            ("timeout", timeout),
            ("expect_status", InputSchema.integer(200...599)), ("status", InputSchema.choice(["active", "paused"])),
            ("next_check_at", InputSchema.nextCheckAt), ("metadata", InputSchema.metadata),
        ],
        required: ["every", "url"],
        example: #"{"every":"30s","url":"https://shop.example/tick","method":"POST","body":"{}"}"#)

    private static let timeout =
        #"{"type":["string","null"],"pattern":"^([1-9]|10)m$|^([1-9]m)?[1-9][0-9]{0,2}s$|^[1-9][0-9]{0,5}ms$","#
        + #""description":"250ms, 30s, 1m30s; from 1ms to 10m."}"#
    private static let duration =
        #"{"type":["string","null"],"pattern":"^([1-9][0-9]{0,3}d)?([1-9][0-9]{0,3}h)?([1-9][0-9]{0,3}m)?[1-9][0-9]{0,5}s$|^[1-9][0-9]{1,6}ms$|^[1-9][0-9]{0,3}[dhm]$","#
        + #""description":"250ms, 30s, 1m30s, 24h, 7d; from 10ms to 36500d."}"#
}
