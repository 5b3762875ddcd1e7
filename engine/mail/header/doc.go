// Package header reads the header of a message as real mail has it: tolerant
// where RFC 5322 is broken every day, strict where a mistake would send a copy
// to the wrong person. go-message does the decoding of words and charsets.
package header
