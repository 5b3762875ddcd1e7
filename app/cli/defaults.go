package cli

// DefaultConfig and DefaultData are the configuration file and the data folder
// without --config and --data, the same for both programs.
func DefaultConfig(getenv func(string) string) string { return defaultConfig(getenv) }

// DefaultData is the data folder without --data.
func DefaultData(getenv func(string) string) string { return defaultData(getenv) }
