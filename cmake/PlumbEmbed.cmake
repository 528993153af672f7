# plumb_embed(TARGET NAME FILE)
#
# Puts the bytes of FILE into TARGET as the C symbols plumb_NAME_begin and plumb_NAME_end.
include_guard()

function(plumb_embed target name file)
  set(assembly ${CMAKE_CURRENT_BINARY_DIR}/embed_${name}.S)
  file(CONFIGURE OUTPUT ${assembly} @ONLY CONTENT [[
    .section .rodata
    .global plumb_@name@_begin
    .global plumb_@name@_end
plumb_@name@_begin:
    .incbin "@file@"
plumb_@name@_end:
    .byte 0
    .section .note.GNU-stack,"",%progbits
]])
  set_source_files_properties(${assembly} TARGET_DIRECTORY ${target} PROPERTIES OBJECT_DEPENDS ${file})
  target_sources(${target} PRIVATE ${assembly})
endfunction()
