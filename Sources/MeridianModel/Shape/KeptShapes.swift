// KeptShapes: the shapes of generic types, which cannot keep a static value of their own.
internal import Synchronization

/// One shape for each generic type that was asked for.
///
/// Making a shape instantiates the key paths of all its fields, which takes longer than reading an object by it.
enum KeptShapes {
    /// A shape as a dictionary's value.
    private final class Kept<Root: Sendable>: Sendable {
        let shape: Shape<Root>

        init(_ shape: Shape<Root>) { self.shape = shape }
    }

    private static let kept = Mutex<[ObjectIdentifier: any AnyObject & Sendable]>([:])

    /// The shape of `Root`, made at the first call.
    static func shape<Root: Sendable>(made make: () -> Shape<Root>) -> Shape<Root> {
        let type = ObjectIdentifier(Root.self)
        if let known = kept.withLock({ $0[type] }) as? Kept<Root> { return known.shape }
        // Outside the lock, since a shape may ask for others; two that are made at once are alike.
        let made = Kept(make())
        kept.withLock { $0[type] = made }
        return made.shape
    }
}
