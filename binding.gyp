# The real build is cmake-js: node native/build.mjs. This makes the same addon with node-gyp, from the same list of
# sources: npx node-gyp rebuild. It empties build/ and leaves build/Release/theta.node, where theta looks for it; the
# next native/build.mjs replaces it. gyp knows no flags per file, so each variant is a static library.
{
  "target_defaults": {
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-rtti", "-fno-exceptions"],
    "cflags_cc": ["<!@(node -p \"require('./native/sources.json').flags.join(' ')\")"],
    "cflags": ["-fPIC"]
  },
  "targets": [
    {
      "target_name": "theta",
      "sources": ["<!@(node -p \"const s=require('./native/sources.json');[...s.binding,...s.core].map(f=>'native/'+f).join(' ')\")"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS", "NDEBUG"],
      "ldflags": ["-static-libstdc++", "-static-libgcc", "-Wl,--exclude-libs,ALL"],
      "conditions": [["target_arch=='x64'", { "dependencies": ["theta_sha", "theta_sha_avx512", "theta_avx2", "theta_avx512"] }]]
    }
  ],
  "conditions": [
    ["target_arch=='x64'", {
      "targets": [
        {
          "target_name": "theta_sha",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').variants.x64.find(v=>v.name=='sha').sources.map(f=>'native/'+f).join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').variants.x64.find(v=>v.name=='sha').flags.join(' ')\")"]
        },
        {
          "target_name": "theta_sha_avx512",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').variants.x64.find(v=>v.name=='sha_avx512').sources.map(f=>'native/'+f).join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').variants.x64.find(v=>v.name=='sha_avx512').flags.join(' ')\")"]
        },
        {
          "target_name": "theta_avx2",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').variants.x64.find(v=>v.name=='avx2').sources.map(f=>'native/'+f).join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').variants.x64.find(v=>v.name=='avx2').flags.join(' ')\")"]
        },
        {
          "target_name": "theta_avx512",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').variants.x64.find(v=>v.name=='avx512').sources.map(f=>'native/'+f).join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').variants.x64.find(v=>v.name=='avx512').flags.join(' ')\")"]
        }
      ]
    }]
  ]
}
