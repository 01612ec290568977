import { describe, expect, it } from 'vitest'
import type { ErrorKind } from '../ports/driver.js'
import { ErrorClassifier } from './error-classifier.js'

const ERROR = new Error('of the server')

function classifier(byUser?: (error: unknown, byDriver: ErrorKind) => ErrorKind | undefined): ErrorClassifier {
  return new ErrorClassifier({ classify: () => 'fatal', isShutdown: (error) => error === ERROR }, byUser)
}

describe('what an error means', () => {
  it('is what the driver says, unless the user knows better', () => {
    expect(classifier().kindOf(ERROR)).toBe('fatal')
    expect(classifier(() => undefined).kindOf(ERROR)).toBe('fatal')
    expect(
      classifier((error, byDriver) => (error === ERROR && byDriver === 'fatal' ? 'query' : undefined)).kindOf(ERROR),
    ).toBe('query')
  })

  it('is not left to a function that throws, or says what nobody understands', () => {
    const throwing = (): never => {
      throw new Error('of the user')
    }
    expect(classifier(throwing).kindOf(ERROR)).toBe('fatal')
    expect(classifier(() => 'toString' as ErrorKind).kindOf(ERROR)).toBe('fatal')
  })

  it('is the worst where the driver throws, or says what nobody understands; the user may still know better', () => {
    const throwing = (): never => {
      throw new Error('of the driver')
    }
    for (const classify of [throwing, () => 'toString' as ErrorKind, () => undefined as unknown as ErrorKind]) {
      const driver = { classify, isShutdown: () => true }
      expect(new ErrorClassifier(driver, undefined).kindOf(ERROR)).toBe('fatal')
      expect(new ErrorClassifier(driver, undefined).isShutdown(ERROR)).toBe(true)
      expect(new ErrorClassifier(driver, () => 'query').kindOf(ERROR)).toBe('query')
    }
  })

  it('is a shutdown as the driver says, unless the user calls it something else', () => {
    expect(classifier().isShutdown(ERROR)).toBe(true)
    expect(classifier().isShutdown(new Error('another'))).toBe(false)
    expect(classifier(() => 'transient').isShutdown(ERROR)).toBe(false)
    expect(new ErrorClassifier({ classify: () => 'fatal' }, undefined).isShutdown(ERROR)).toBe(false)
  })
})
