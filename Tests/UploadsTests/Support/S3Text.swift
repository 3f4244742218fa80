/// S3's answers.
enum S3Text {
    static func part(_ number: Int, etag: String, bytes: Int64, at: String = "2026-11-23T09:59:00.000Z") -> String {
        "<Part><PartNumber>\(number)</PartNumber><LastModified>\(at)</LastModified><ETag>&quot;\(etag)&quot;</ETag>"
            + "<Size>\(bytes)</Size></Part>"
    }

    static func list(_ parts: [String], next: Int? = nil, uploadID: String = "U1") -> String {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListPartsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            + "<Bucket>media</Bucket><Key>film.mp4</Key><UploadId>\(uploadID)</UploadId><MaxParts>1000</MaxParts>"
            + "<IsTruncated>\(next != nil)</IsTruncated>"
            + (next.map { "<NextPartNumberMarker>\($0)</NextPartNumberMarker>" } ?? "") + parts.joined()
            + "</ListPartsResult>"
    }

    static func error(_ code: String, message: String = "AKIDEXAMPLE very-secret", more: String = "") -> String {
        "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>\(message)</Message>\(more)</Error>"
    }

    static func completed(_ etag: String) -> String {
        "<?xml version=\"1.0\"?>\n<CompleteMultipartUploadResult xmlns=\"x\"><ETag>\"\(etag)\"</ETag>"
            + "</CompleteMultipartUploadResult>"
    }
}

extension S3Script.Reply {
    static func error(_ status: String, _ code: String, headers: String = "") -> Self {
        .answer(status, headers: headers, body: S3Text.error(code))
    }

    static func list(_ parts: [String], next: Int? = nil, uploadID: String = "U1") -> Self {
        .page { _ in S3Text.list(parts, next: next, uploadID: uploadID) }
    }

    static func object(bytes: Int64, etag: String) -> Self {
        .answer("200 OK", headers: "content-length: \(bytes)\r\netag: \"\(etag)\"\r\n")
    }

    static func completed(_ etag: String) -> Self { .answer("200 OK", body: S3Text.completed(etag)) }

    static let nothing = S3Script.Reply.answer("404 Not Found")
    static let noUpload = S3Script.Reply.error("404 Not Found", "NoSuchUpload")
    static let done = S3Script.Reply.answer("204 No Content")
}
