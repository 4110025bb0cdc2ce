"""The `unitymail` command, a file per group of verbs, found by discovery."""
