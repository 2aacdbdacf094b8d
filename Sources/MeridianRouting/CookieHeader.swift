// CookieHeader: finding one cookie in the value of a Cookie header field.

/// The value of the cookie `name` within `field` (`a=1; b=2`, RFC 6265 §4.2.1), as offset and length; nil where
/// absent.
///
/// Names compare exactly. The first of several cookies of one name counts. Allocates nothing.
package func cookieValue(
    named name: UnsafeBufferPointer<UInt8>,
    in field: UnsafeBufferPointer<UInt8>
) -> Range<Int>? {
    let semicolon = UInt8(ascii: ";")
    var start = 0
    while start < field.count {
        while start < field.count, field[start] == UInt8(ascii: " ") || field[start] == 0x09 { start += 1 }
        var end = start
        while end < field.count, field[end] != semicolon { end += 1 }
        if end - start > name.count, field[start + name.count] == UInt8(ascii: "=") {
            var index = 0
            while index < name.count, field[start + index] == name[index] { index += 1 }
            if index == name.count { return start + name.count + 1..<end }
        }
        start = end + 1
    }
    return nil
}
