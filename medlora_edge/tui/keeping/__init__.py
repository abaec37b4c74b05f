"""What outlives the screen: kept chats, drafts, the lock, exports.

The app's `Vault` owns the way in and out: passphrase, recovery code, lock. A `Keeper` owns the chat that is open: it
writes what is said and typed into its store. A `Desk` owns the way of a question: a model, room for it, kept by the
keeper, asked of the session. Each chat screen has one of both, and a lock makes all three anew. A `Shelf` owns nothing:
it reads and changes the chats of the keeper's store for the list of them, of which each row is a `Place`.
"""
