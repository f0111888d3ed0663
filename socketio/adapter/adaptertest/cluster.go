package adaptertest
var clusterChecks []check
