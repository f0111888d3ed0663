package prefix

var Replace = replace
