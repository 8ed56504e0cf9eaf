"""Whether a message may go now (`policy`) and when it may (`pacing`). Pure."""
