//go:build race

package suite_test

// raceDetector says that this test was built with the race detector; then the
// server is too.
const raceDetector = true
