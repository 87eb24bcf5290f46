// For `node -r`: writes beside each script of the bundle what V8 has compiled of it when the process ends.

const { writeFileSync } = require('node:fs')
const vm = require('node:vm')

const scripts = []
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options)
    // The first time there is none, which is no reason to load the chunks in another way.
    this.cachedDataRejected = false
    scripts.push({ script: this, file: `${options.filename}.cache` })
  }
}
process.on('exit', () => {
  for (const { script, file } of scripts) writeFileSync(file, script.createCachedData())
})
