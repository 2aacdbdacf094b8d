// Refusal: why a message is not accepted, with the status and the words of the answer.

/// A request that is answered with an error and whose connection is closed.
enum Refusal: UInt8, Error {
    case malformedRequestLine, badMethod, badTarget, targetTooLong, unsupportedVersion, connectMethod
    case bareLineFeed, foldedLine, badFieldName, badFieldValue, tooManyFields, headTooLarge
    case missingHost, duplicateHost, badHost
    case badContentLength, duplicateContentLength, lengthAndChunked, badTransferEncoding, unknownTransferEncoding
    case chunkedInVersion10, badConnectionField, unknownExpectation, badChunk, headTimeout

    var status: StaticString {
        switch self {
        case .targetTooLong: "414 URI Too Long"
        case .unsupportedVersion: "505 HTTP Version Not Supported"
        case .connectMethod: "405 Method Not Allowed"
        case .tooManyFields, .headTooLarge: "431 Request Header Fields Too Large"
        case .unknownTransferEncoding: "501 Not Implemented"
        case .unknownExpectation: "417 Expectation Failed"
        case .headTimeout: "408 Request Timeout"
        default: "400 Bad Request"
        }
    }

    /// What is wrong and what to do, for the person who wrote the client.
    var words: StaticString {
        switch self {
        case .malformedRequestLine: "the request line is not METHOD TARGET HTTP/1.1; send one space between its parts"
        case .badMethod: "the method holds a byte that is not allowed or is too long; send a token such as GET"
        case .badTarget: "the target is not a path, an absolute http URL or *; percent-encode what is not visible ASCII"
        case .targetTooLong: "the target is too long; move data into the body"
        case .unsupportedVersion: "this HTTP version is not spoken here; use HTTP/1.1 or HTTP/1.0"
        case .connectMethod: "CONNECT is not offered here; send requests to the app directly"
        case .bareLineFeed: "a line does not end with CR LF; end every line of the head with CR LF"
        case .foldedLine: "a field is folded over two lines; write it on one"
        case .badFieldName:
            "a field name holds a byte that is not allowed; send NAME: VALUE without a space before the colon"
        case .badFieldValue: "a field value holds a control byte; remove it"
        case .tooManyFields: "the head has too many fields; send 128 or fewer"
        case .headTooLarge: "the head is too large; send fewer or smaller fields, cookies first"
        case .missingHost: "the Host field is missing; HTTP/1.1 requires one"
        case .duplicateHost: "there is more than one Host field; send one"
        case .badHost: "the Host field is not a host with an optional port; correct it"
        case .badContentLength: "Content-Length is not a whole number; correct it"
        case .duplicateContentLength: "there is more than one Content-Length; send one"
        case .lengthAndChunked: "Content-Length and Transfer-Encoding stand together; send one of them"
        case .badTransferEncoding: "Transfer-Encoding does not end in chunked or stands twice; send it once, as chunked"
        case .unknownTransferEncoding: "only the transfer coding chunked is understood; send the body without others"
        case .chunkedInVersion10: "HTTP/1.0 has no Transfer-Encoding; use Content-Length or HTTP/1.1"
        case .badConnectionField: "the Connection field is not a short list of tokens; correct it"
        case .unknownExpectation: "the only expectation known here is 100-continue; remove the Expect field"
        case .badChunk: "the chunked body is malformed; check chunk sizes and line ends"
        case .headTimeout: "the head took too long; send it in one go"
        }
    }
}

/// Why a runner's response is not accepted; the client gets 502 with these words.
enum ResponseFault: UInt8, Error {
    case malformedStatusLine, malformedField, headTooLarge, badFraming, tooManyInformational, unexpectedUpgrade

    var words: StaticString {
        switch self {
        case .malformedStatusLine: "the app's answer does not begin with an HTTP/1.1 or HTTP/1.0 status line"
        case .malformedField: "the app's answer has a malformed header field"
        case .headTooLarge: "the head of the app's answer is too large"
        case .badFraming: "the app's answer has contradictory or unknown Content-Length or Transfer-Encoding fields"
        case .tooManyInformational: "the app sent too many 1xx answers before its final one"
        case .unexpectedUpgrade: "the app switched protocols although the request did not ask for it"
        }
    }
}
