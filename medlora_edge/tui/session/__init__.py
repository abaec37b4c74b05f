"""The engine as the app sees it: one model, one question at a time, all told through events."""
