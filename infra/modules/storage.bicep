// The account of data and host: a container each for what lives differently long. No shared keys.

param location string
param tags object
param names object

@description('Days after which archives and drawn pictures are deleted.')
param transientDays int

@description('Days after which data sets and run files (log, metrics, left checkpoints) are deleted. Versions and records stay.')
param trainingDays int

@description('Days for which deleted and overwritten blobs can be brought back.')
param undeleteDays int

// core/Storage/StorageLayout.cs names the same; a test compares.
var containers = ['uploads', 'datasets', 'jobs', 'models', 'records', 'predictions']

// Only the platform and the operator use these: the functions' package, events that could not be delivered, and base models for workers
// that have no share.
var operating = ['app-package', 'event-dead-letters', 'base-models']

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: names.storage
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: undeleteDays }
    containerDeleteRetentionPolicy: { enabled: true, days: undeleteDays }
  }
}

resource boxes 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [
  for container in concat(containers, operating): {
    parent: blobs
    name: container
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'transient'
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['uploads/', 'predictions/', 'event-dead-letters/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: transientDays } } }
          }
        }
        {
          name: 'trainings'
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: ['datasets/', 'jobs/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: trainingDays } } }
          }
        }
      ]
    }
  }
  dependsOn: [blobs]
}
