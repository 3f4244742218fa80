/// JSON Schemas (draft 2020-12) of fields that rows of every watch have; what `FieldRules` and `FieldReader` hold them to.
package enum InputSchema {
    /// Text without control characters.
    package static let text = text(lengthMax: FieldRules.textLengthMax)

    package static func text(lengthMax: Int) -> String {
        #"{"type":["string","null"],"minLength":1,"maxLength":\#(lengthMax),"pattern":"^[^\\u0000-\\u001f\\u007f-\\u009f]+$"}"#
    }

    package static let requiredText = required(text)
    package static let lane = #"{"type":["string","null"],"pattern":"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"}"#
    package static let requiredLane = required(lane)
    /// RFC 3339 from 1970 on, rounded to the microsecond.
    package static let time =
        #"{"type":["string","null"],"format":"date-time","pattern":"^(19[7-9][0-9]|[2-9][0-9]{3})-[0-9-]{5}T[0-9:]{8}(\\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$"}"#
    package static let nextCheckAt =
        #"{"description":"When to check first; null: not before someone makes it due.",\#(time.dropFirst())"#
    /// An object of anything that PostgreSQL can store.
    package static let metadata =
        #"{"type":["object","null"],"description":"At most 64 KiB, without NUL in texts."}"#

    package static func integer(_ range: ClosedRange<Int64>) -> String {
        #"{"type":["integer","null"],"minimum":\#(range.lowerBound),"maximum":\#(range.upperBound)}"#
    }

    package static func choice(_ values: [String]) -> String {
        #"{"enum":[\#(values.map { "\"\($0)\"" }.joined(separator: ",")),null]}"#
    }

    /// The same, without null.
    package static func required(_ schema: String) -> String {
        schema.replacing(#"["string","null"]"#, with: #""string""#).replacing(
            #"["integer","null"]"#, with: #""integer""#
        )
        .replacing(",null]", with: "]")
    }

    /// Of an object with these members; `id` may be left out where a path names it.
    package static func object(
        _ members: [(name: String, schema: String)], required: [String], example: String
    ) -> String {
        let properties = members.map { "\"\($0.name)\":\($0.schema)" }.joined(separator: ",")
        let names = required.map { "\"\($0)\"" }.joined(separator: ",")
        return #"{"type":"object","additionalProperties":false,"required":[\#(names)],"properties":{\#(properties)},"#
            + #""examples":[\#(example)]}"#
    }
}
