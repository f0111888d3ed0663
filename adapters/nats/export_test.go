package nats

// DecodeSession reads what stands in the bucket.
var DecodeSession = decodeSession
