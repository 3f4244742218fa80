import Foundation
import JSON

/// Where a list goes on: behind a row, wherever rows were added or removed meanwhile. Opaque to those who hand it back.
enum Cursor {
    static func text(after id: String) -> String {
        Data(id.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    static func id(_ text: String) throws(InputError) -> String {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        let base64 = text.replacing("-", with: "+").replacing("_", with: "/") + padding
        guard text.utf8.count <= 2_048, let data = Data(base64Encoded: base64), !data.isEmpty, !data.contains(0),
            let id = String(validating: data, as: UTF8.self), Self.text(after: id) == text
        else {
            throw InputError("cursor", problem: "is none", allowed: "next of the page before, as it stands there")
        }
        return id
    }
}
