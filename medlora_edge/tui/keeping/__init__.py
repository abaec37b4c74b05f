"""What outlives the screen: kept chats, drafts, the lock, exports."""
