// Package control lets a second program drive the running engine: the one that
// owns a data folder listens, the others dial. Both sides are a Service, so
// that whoever uses one need not know whether it works in this process.
//
//	commands -> client -> unix socket (0600 in a 0700 folder) or named pipe -> server -> Service
//
// On the line is HTTP/1.1 with JSON. GET /version names the protocols that the
// engine speaks; each method of Service is POST /v1/METHOD with its arguments
// as one object. The answer is a stream of JSON Lines:
//
//	{"event":{}}               progress
//	{"entry":{}}               one message, also "check" and "line" and "data"
//	{}                         nothing new, but the engine lives
//	{"done":{"result":{},"error":{}}}  the last line; without it the answer was cut
//
// A client that goes away cancels what it asked for, save a collection: that
// goes on, because half a collection helps nobody, until POST /v1/cancel names
// it. So a person who interrupts a remote collection still sees what it did.
//
// There is no TCP: who may open the socket may command the engine.
package control
