// Package fuzz holds the property tests and fuzz targets of all modules.
package fuzz
