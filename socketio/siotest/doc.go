// Package siotest tests applications of package socketio.
package siotest
