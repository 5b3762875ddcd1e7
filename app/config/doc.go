// Package config is the configuration file: its shape, its defaults, what is
// wrong with it, and how it is written.
//
//	bytes -> parse (tree with lines) -> decode (types, unknown keys)
//	      -> defaults -> check (everything the engine must be able to rely on)
//
// Nothing stops at the first fault: Load returns every Problem with its field
// and line. A configuration with a Problem that is no Warning must not be used.
//
// The file holds references to secrets, never secrets.
package config
